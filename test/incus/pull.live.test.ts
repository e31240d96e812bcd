import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type IncusClient } from "../../incus/client.ts";
import { imageSource } from "../../incus/images.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { fingerprintOf, importImages } from "../rig/images.ts";
import { newFolder } from "../rig/place.ts";
import { selfSigned } from "./certificates.ts";
import { type ImageServer, serveImage } from "./simplestreams.ts";

let near: Daemon;
let far: Daemon;
let server: ImageServer;
let incus: IncusClient;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  [near, far] = await Promise.all([startDaemon(), startDaemon({ https: true })]);
  await importImages(far, ["busybox", "busybox/other"]);
  const { folder } = newFolder("cc");
  const exported = join(folder, "image");
  const pair = await selfSigned();
  await far.incus("image", "export", "busybox", exported);
  server = await serveImage(pair, "busybox/slow", gzipSync(readFileSync(`${exported}.tar`)), 5);
  mkdirSync(join(folder, "servercerts"));
  writeFileSync(join(folder, "servercerts/slow.crt"), pair.cert);
  writeFileSync(join(folder, "servercerts/far.crt"), readFileSync(join(far.dir, "server.crt")));
  writeFileSync(
    join(folder, "config.yml"),
    `remotes:
  slow: {addr: "${server.url}", protocol: simplestreams, public: true}
  far: {addr: "${far.url}", protocol: incus, public: true}
  dead: {addr: "https://127.0.0.1:1", protocol: simplestreams, public: true}
`,
  );
  env = { HOME: folder, INCUS_CONF: folder, INCUS_GLOBAL_CONF: join(folder, "none") };
  incus = await connect({ env: near.env });
});
afterAll(async () => {
  incus?.close();
  await server?.close();
  await near?.dispose();
  await far?.dispose();
});

const create = async (name: string, image: string, options = {}) =>
  incus.createInstance("default", { name, source: await imageSource(image, env) }, options);

describe("an image", () => {
  test("of an image server is downloaded, with progress", async () => {
    const heard: string[] = [];
    await create("slow", "slow:busybox/slow", { onProgress: (text: string) => heard.push(text) });
    expect(heard.length).toBeGreaterThan(1);
    expect(heard[0]).toMatch(/\d+%/);
    // Never the same twice in a row; a rate may come again.
    expect(heard.filter((text, index) => text === heard[index - 1])).toEqual([]);
    await incus.setInstanceState("default", "slow", { action: "start" });
  });

  test("of another Incus server is downloaded when it is public there", async () => {
    const fingerprint = await fingerprintOf(far, "busybox/other");
    await expect(create("far", "far:busybox/other")).rejects.toThrow(
      'no image "busybox/other" on https://',
    );
    await far.api("PATCH", `/1.0/images/${fingerprint}`, { public: true });
    await create("far", "far:busybox/other");
    const { value } = await incus.getInstance("default", "far");
    expect(value.config["volatile.base_image"]).toBe(fingerprint);
  });

  test("that the image server does not have is named", async () => {
    await expect(create("none", "slow:nothing/here")).rejects.toMatchObject({
      name: "BadRequest",
      message: expect.stringContaining(`no image "nothing/here" on ${server.url}`),
    });
  });

  test("of an image server that cannot be reached does not make the daemon look unreachable", async () => {
    await expect(create("none", "dead:busybox")).rejects.toMatchObject({
      name: "OperationFailed",
      message: expect.stringContaining("127.0.0.1:1"),
    });
  });

  test("is not downloaded on when the caller gives up", async () => {
    const signal = AbortSignal.timeout(500);
    const { fingerprint } = await incus.getImage("default", await baseOf("slow"));
    await incus.deleteInstance("default", "slow", { force: true });
    await near.api("DELETE", `/1.0/images/${fingerprint}`);
    await expect(create("slow", "slow:busybox/slow", { signal })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    const left = await incus.getOperations("default");
    expect(left.filter(({ status_code: code }) => code < 200)).toEqual([]);
  });

  test("may take no longer than it is given", async () => {
    await expect(create("slow", "slow:busybox/slow", { timeoutMs: 1000 })).rejects.toMatchObject({
      name: "TimedOut",
      message: expect.stringContaining("not finished after 1 s"),
    });
  });
});

async function baseOf(name: string): Promise<string> {
  const { value } = await incus.getInstance("default", name);
  return value.config["volatile.base_image"] ?? "";
}
