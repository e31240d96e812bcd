import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { extraAuthorities } from "../../tools/image/certificates.js";
import { hostFiles, metadata } from "../../tools/image/recipe.js";
import { put, tempFolder } from "../tools/temp.ts";

const recipe = {
  alias: "repoman/debian-12",
  os: "Debian",
  release: "12",
  codename: "bookworm",
  architecture: "amd64",
  machine: "x86_64",
  mirror: "http://mirror.example/debian/",
  components: ["main"],
  packages: ["git"],
  sources: "deb http://mirror.example/debian/ bookworm main\n",
  authorities: [] as string[],
  proxy: "",
  key: "0123456789abcdef",
};

/** A new certificate authority in PEM. */
function authority(folder: string, name: string): string {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"].concat([
      "-subj",
      `/CN=${name}`,
      "-keyout",
      key,
      "-out",
      certificate,
      "-days",
      "2",
    ]),
    { stdio: "ignore" },
  );
  return readFileSync(certificate, "utf8");
}

describe("the host's own certificate authorities", () => {
  test("are those of its bundle that the distribution does not ship, each once", () => {
    const folder = tempFolder();
    const [usual, proxy] = [authority(folder, "usual"), authority(folder, "proxy")];
    const shipped = join(folder, "shipped");
    put(join(shipped, "mozilla/usual.crt"), usual);
    const bundle = put(join(folder, "bundle.crt"), `# x\n${usual}${proxy}${proxy}`);
    expect(extraAuthorities({ bundle, shipped })).toEqual([proxy]);
    put(bundle, usual);
    expect(extraAuthorities({ bundle, shipped })).toEqual([]);
  });

  test("are none where it cannot be told which they are", () => {
    const folder = tempFolder();
    const bundle = put(join(folder, "bundle.crt"), authority(folder, "usual"));
    expect(extraAuthorities({ bundle, shipped: join(folder, "none") })).toEqual([]);
    expect(extraAuthorities({ bundle: join(folder, "none"), shipped: folder })).toEqual([]);
  });

  test("are passed over when broken", () => {
    const folder = tempFolder();
    const shipped = join(folder, "shipped");
    put(join(shipped, "a.crt"), authority(folder, "usual"));
    const broken = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
    const bundle = put(join(folder, "bundle.crt"), broken);
    expect(extraAuthorities({ bundle, shipped })).toEqual([]);
  });
});

describe("what an image takes from the host", () => {
  test("is its package archive, and nothing else where nothing else is special", () => {
    expect(hostFiles(recipe)).toEqual({ "etc/apt/sources.list": recipe.sources });
  });

  test("is its authorities, made known to programs with a list of their own", () => {
    const files = hostFiles({ ...recipe, authorities: ["one", "two"] });
    expect(files["usr/local/share/ca-certificates/host-2.crt"]).toBe("two");
    expect(files["etc/environment"]).toContain("NODE_EXTRA_CA_CERTS=/etc/ssl/certs/");
  });

  test("is its proxy, unless that listens on the host's loopback", () => {
    const proxyOf = (proxy: string) =>
      hostFiles({ ...recipe, proxy })["etc/apt/apt.conf.d/80proxy"];
    expect(proxyOf("http://proxy.example:3128")).toContain("proxy.example:3128");
    expect(proxyOf("http://127.0.0.1:3142")).toBeUndefined();
    expect(proxyOf("http://localhost:3142")).toBeUndefined();
  });
});

describe("an image's description", () => {
  test("has the archive's day where its maker puts it, and templates for the name", () => {
    const data = JSON.parse(metadata(recipe).replace('"@DATE@"', "1783764997"));
    expect(data).toMatchObject({
      architecture: "x86_64",
      creation_date: 1_783_764_997,
      properties: { os: "Debian", release: "bookworm" },
      templates: { "/etc/hostname": { template: "hostname.tpl" } },
    });
  });
});
