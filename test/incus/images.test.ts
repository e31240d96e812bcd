import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, asyncProperty, constantFrom, string, tuple } from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageSource } from "../../incus/images.ts";

let home: string;
let env: NodeJS.ProcessEnv;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "incus-"));
  env = { HOME: home, INCUS_CONF: home, INCUS_GLOBAL_CONF: join(home, "none") };
  mkdirSync(join(home, "servercerts"));
  writeFileSync(join(home, "servercerts/big.crt"), "the certificate");
  writeFileSync(
    join(home, "config.yml"),
    `remotes:
  images: {addr: "https://images.linuxcontainers.org", protocol: simplestreams, public: true}
  big: {addr: "https://big:8443"}
  docker: {addr: "https://docker.io", protocol: oci, public: true}
`,
  );
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe("an image", () => {
  test("of the image server is pulled from there", async () => {
    expect(await imageSource("images:debian/12/cloud", env)).toEqual({
      type: "image",
      mode: "pull",
      server: "https://images.linuxcontainers.org",
      protocol: "simplestreams",
      alias: "debian/12/cloud",
    });
  });

  test("of another Incus server is pulled with that server's certificate", async () => {
    expect(await imageSource("big:mine", env)).toMatchObject({
      server: "https://big:8443",
      protocol: "incus",
      certificate: "the certificate",
    });
  });

  test("may have colons of its own", async () => {
    expect(await imageSource("docker:nginx:latest", env)).toMatchObject({
      protocol: "oci",
      alias: "nginx:latest",
    });
  });

  test("without a remote, or of the server itself, is the server's own", async () => {
    const own = { type: "image", alias: "debian/12" };
    expect(await imageSource("debian/12", env)).toEqual(own);
    expect(await imageSource("local:debian/12", env)).toEqual(own);
    expect(await imageSource("big:debian/12", env, "big")).toEqual(own);
  });

  test("of this machine cannot be fetched by another", async () => {
    await expect(imageSource("local:debian/12", env, "big")).rejects.toMatchObject({ exitCode: 3 });
  });

  test("of a remote that is not there is refused with those that are", async () => {
    await expect(imageSource("nope:debian", env)).rejects.toThrow(
      /no remote "nope"[\s\S]*big, docker/,
    );
  });
});

describe("what is no image's name", () => {
  test.each([
    "",
    "-rf",
    "local:",
    "local:-rf",
    "a b",
    'a"b',
    "a'b",
    "a\nb",
    "a\\b",
    "a;b",
    "$(id)",
    "a\0",
  ])("%j is refused as bad usage", async (name) => {
    await expect(imageSource(name, env)).rejects.toMatchObject({ name: "Fault", exitCode: 2 });
  });

  test("passes nothing on that a shell or a terminal would interpret", async () => {
    const hostile = tuple(
      string(),
      constantFrom("'", '"', "\n", "`", "$", ";", " ", "\u001b"),
      string(),
    );
    await assert(
      asyncProperty(hostile, async (parts) => {
        await expect(imageSource(parts.join(""), env)).rejects.toMatchObject({ exitCode: 2 });
      }),
    );
  });
});
