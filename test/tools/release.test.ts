import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { paths } from "../../host/paths.js";
import { commandPluginStep, linkCommandPlugin } from "../../tools/command-plugin.js";
import { needRoom } from "../../tools/go.js";
import { Progress } from "../../tools/progress.js";
import { pulumiStep } from "../../tools/pulumi.js";
import { checksumOf, pluginPlaces, pulumiPlaces } from "../../tools/release.js";
import { runSteps, type Step } from "../../tools/step.js";
import { layout, ROOT } from "../../tools/toolchain.js";
import { pinned } from "../../tools/versions.js";
import { record, script, tempFolder, userOf } from "./temp.ts";

const VERSION = pinned(ROOT, "@pulumi/pulumi");
const COMMAND = pinned(ROOT, "@pulumi/command");
const [PLACE] = pulumiPlaces(VERSION, { REPOMAN_PULUMI_RELEASES: "http://here" });
const TARBALL = PLACE?.tarball.replace("http://here", "") ?? "";
const SUMS = PLACE?.checksums.replace("http://here", "") ?? "";

/** A release as the real one is laid out, with scripts in place of its programs. */
function release(): Buffer {
  const folder = tempFolder();
  script(join(folder, "pulumi/pulumi"), `echo v${VERSION}`);
  script(join(folder, "pulumi/pulumi-language-nodejs"), "exit 1");
  script(join(folder, "pulumi/pulumi-resource-pulumi-nodejs"), "exit 1");
  script(join(folder, "pulumi/pulumi-language-java"), "exit 1");
  execFileSync("tar", ["-czf", join(folder, "made.tar.gz"), "-C", folder, "pulumi"]);
  return readFileSync(join(folder, "made.tar.gz"));
}

const sumLine = (content: Buffer, path: string) =>
  `${createHash("sha256").update(content).digest("hex")}  ${path.slice(1)}\n`;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function serving(files: Record<string, string | Buffer>): RequestListener {
  return ({ url = "" }, response) => {
    const content = files[url];
    response.writeHead(content === undefined ? 404 : 200).end(content);
  };
}

async function serve(files: Record<string, string | Buffer>): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(serving(files)))}`;
}

function machine(releases: string, more: NodeJS.ProcessEnv = {}) {
  const home = tempFolder();
  // A machine without a Pulumi of its own, and with a Go that can build nothing.
  const go =
    "case $1 in version) echo go version go1.26.0 linux/amd64 ;; *) echo no; exit 1 ;; esac";
  script(join(home, "go/bin/go"), go);
  const PATH = `${more.PATH ? `${more.PATH}:` : ""}${home}/go/bin:/usr/bin:/bin`;
  const env = userOf(home, { REPOMAN_PULUMI_RELEASES: releases, ...more, PATH });
  const stream = record();
  const progress = new Progress({ env, stream });
  const folder = layout(env).pulumi(VERSION);
  const setUp = (step: Step) => runSteps([step], { root: ROOT, env, paths: paths(env), progress });
  return { env, folder, stream, setUp, toolchain: layout(env).folder };
}

describe("the release of Pulumi", () => {
  test("is unpacked when its checksum is right, without what is of no use here", async () => {
    const tarball = release();
    const { setUp, folder, toolchain } = machine(
      await serve({ [TARBALL]: tarball, [SUMS]: sumLine(tarball, TARBALL) }),
    );
    await setUp(pulumiStep);
    expect(readdirSync(folder).sort()).toEqual([
      "pulumi",
      "pulumi-language-nodejs",
      "pulumi-resource-pulumi-nodejs",
    ]);
    // Its own language host, not ours.
    expect(readFileSync(join(folder, "pulumi-language-nodejs"), "utf8")).toContain("exit 1");
    expect(readdirSync(toolchain).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(await setUp(pulumiStep)).toBe(false);
  });

  test("is refused when its checksum is wrong, and nothing of it stays", async () => {
    const tarball = release();
    const other = Buffer.concat([tarball, Buffer.from("!")]);
    const { setUp, folder, toolchain } = machine(
      await serve({ [TARBALL]: other, [SUMS]: sumLine(tarball, TARBALL) }),
    );
    await expect(setUp(pulumiStep)).rejects.toMatchObject({
      what: expect.stringMatching(/is not what its release says: sha256 [0-9a-f]{64}, expected/),
      remedy: expect.stringContaining("REPOMAN_PULUMI_RELEASES=none"),
      exitCode: 3,
    });
    expect(existsSync(folder)).toBe(false);
    expect(readdirSync(toolchain)).toEqual(["setup.lock"]);
  });

  test("that is not for this machine is told before it is taken into use", async () => {
    const folder = tempFolder();
    script(join(folder, "pulumi/pulumi"), "echo Exec format error >&2; exit 126");
    script(join(folder, "pulumi/pulumi-language-nodejs"), "exit 1");
    execFileSync("tar", ["-czf", join(folder, "made.tar.gz"), "-C", folder, "pulumi"]);
    const tarball = readFileSync(join(folder, "made.tar.gz"));
    const there = machine(await serve({ [TARBALL]: tarball, [SUMS]: sumLine(tarball, TARBALL) }));
    await expect(there.setUp(pulumiStep)).rejects.toThrow(/does not run on this machine/);
    expect(existsSync(there.folder)).toBe(false);
  });

  test.each([
    ["nothing listens", async () => "http://127.0.0.1:2", /ECONNREFUSED/],
    ["it is not there", () => serve({}), /HTTP status 404/],
    ["a log-in page answers", () => serve({ [SUMS]: "<html>" }), /names no pulumi-v/],
  ])("counts as out of reach when %s, and Pulumi is built", async (_, releases, why) => {
    const { setUp, stream } = machine(await releases());
    const failure = await setUp(pulumiStep).catch((error) => error);
    expect(failure.message).toMatch(
      /^pulumi could not be built: .*go build -v: exit code 1\n {2}no\n/,
    );
    expect(failure.message).toMatch(why);
    expect(stream.text).toContain("Pulumi's releases are out of reach: it is built here");
  });

  test("is had over TLS with a certificate that the user trusts", async () => {
    const folder = tempFolder();
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"].concat(
        ["-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost"],
        ["-addext", "subjectAltName=DNS:localhost"],
      ),
      { stdio: "ignore" },
    );
    const tarball = release();
    const files = { [TARBALL]: tarball, [SUMS]: sumLine(tarball, TARBALL) };
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    const port = await listen(createTlsServer(tls, serving(files)));
    const there = machine(`https://localhost:${port}`, { NODE_EXTRA_CA_CERTS: cert });
    await there.setUp(pulumiStep);
    expect(existsSync(join(there.folder, "pulumi"))).toBe(true);
  });

  test("left half unpacked by a set-up that was killed does not count", async () => {
    const tarball = release();
    const { setUp, folder } = machine(
      await serve({ [TARBALL]: tarball, [SUMS]: sumLine(tarball, TARBALL) }),
    );
    mkdirSync(`${folder}.4711.tmp`, { recursive: true });
    script(join(`${folder}.4711.tmp`, "pulumi"), "exit 1");
    await setUp(pulumiStep);
    expect(readdirSync(folder)).toContain("pulumi-language-nodejs");
    expect(existsSync(`${folder}.4711.tmp`)).toBe(false);
  });
});

describe("a Pulumi of the user's own", () => {
  test.each([
    ["is used when it is new enough", "v3.254.0", true, false],
    ["is passed over when it is older", "v3.253.9", true, true],
    ["is passed over without its language host", "v3.300.0", false, true],
  ])("%s", async (_, version, withHost, needed) => {
    const bin = join(tempFolder(), "bin");
    script(join(bin, "pulumi"), `echo ${version}`);
    if (withHost) script(join(bin, "pulumi-language-nodejs"), "exit 0");
    const tarball = release();
    const releases = await serve({ [TARBALL]: tarball, [SUMS]: sumLine(tarball, TARBALL) });
    const { setUp } = machine(releases, { PATH: bin });
    expect(await setUp(pulumiStep)).toBe(needed);
  });
});

test("a build is not begun where its disk has no room for it", async () => {
  const folder = tempFolder();
  await expect(needRoom(folder, 1e18)).rejects.toMatchObject({
    what: expect.stringMatching(/takes 1000000000\.0 GB for a while, and .* has [\d.]+ GB/),
    remedy: expect.stringContaining("XDG_CACHE_HOME"),
  });
  await needRoom(folder, 1);
});

describe("checksums", () => {
  const sum = "ab".repeat(32);
  test("are found by the whole name, in both notations", () => {
    expect(checksumOf("a.tar.gz", `${sum}  a.tar.gz\n`)).toBe(sum);
    expect(checksumOf("a.tar.gz", `${sum.toUpperCase()} *a.tar.gz\r\n`)).toBe(sum);
    expect(checksumOf("a.tar.gz", `${sum}  ba.tar.gz\n`)).toBeUndefined();
    expect(checksumOf("a.tar.gz", "short  a.tar.gz\n")).toBeUndefined();
  });
});

describe("the plugin of @pulumi/command", () => {
  const [place] = pluginPlaces("command", COMMAND, { REPOMAN_PULUMI_RELEASES: "http://here" });
  const path = (address = "") => address.replace("http://here", "");

  test("is unpacked and found in every home of Pulumi", async () => {
    const folder = tempFolder();
    script(join(folder, "pulumi-resource-command"), "exit 0");
    execFileSync(
      "tar",
      ["-czf", join(folder, "made.tar.gz"), "-C", folder].concat(["pulumi-resource-command"]),
    );
    const tarball = readFileSync(join(folder, "made.tar.gz"));
    const releases = await serve({
      [path(place?.tarball)]: tarball,
      [path(place?.checksums)]: sumLine(tarball, path(place?.tarball)),
    });
    const { setUp, env } = machine(releases);
    await setUp(commandPluginStep);
    const home = join(tempFolder(), "home of pulumi");
    for (let time = 0; time < 2; time++) linkCommandPlugin({ ...env, PULUMI_HOME: home }, ROOT);
    const plugin = join(home, `plugins/resource-command-v${COMMAND}/pulumi-resource-command`);
    expect(readFileSync(plugin, "utf8")).toContain("exit 0");
    expect(readdirSync(join(home, "plugins"))).toEqual([`resource-command-v${COMMAND}`]);
  });

  test("that cannot be had is a warning, once a day", async () => {
    const { setUp, stream, env } = machine("none");
    await setUp(commandPluginStep);
    expect(stream.text).toMatch(/^Warning: the plugin of @pulumi\/command .* could not be had/);
    expect(await setUp(commandPluginStep)).toBe(false);
    const home = tempFolder();
    linkCommandPlugin({ ...env, PULUMI_HOME: home }, ROOT);
    expect(readdirSync(home)).toEqual([]);
  });
});
