import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type IncusClient } from "../../incus/client.ts";
import { type Daemon, freePort, startDaemon } from "../rig/daemon.ts";
import { importImages } from "../rig/images.ts";

let first: Daemon;
let second: Daemon;
let incus: IncusClient;

beforeAll(async () => {
  [first, second] = await Promise.all([
    // Both members share this host, where a bridge can exist only once: there is none.
    startDaemon({ https: true, bare: true }),
    startDaemon({ https: true, bare: true }),
  ]);
  await first.api("POST", "/1.0/storage-pools", { name: "default", driver: "dir", config: {} });
  const root = { type: "disk", path: "/", pool: "default" };
  await first.api("PUT", "/1.0/profiles/default", { config: {}, devices: { root } });
  await importImages(first, ["busybox"]);
  await first.api("PUT", "/1.0/cluster", { server_name: "one", enabled: true });
  await join();
  incus = await connect({ env: first.env });
});
afterAll(async () => {
  incus?.close();
  await second?.dispose();
  await first?.dispose();
});

async function join(): Promise<void> {
  const { stdout } = await first.incus("cluster", "add", "two", "--quiet");
  const { metadata } = await first.api("GET", "/1.0");
  await second.api("PUT", "/1.0/cluster", {
    server_name: "two",
    enabled: true,
    server_address: `127.0.0.1:${await freePort()}`,
    cluster_address: first.url?.slice("https://".length),
    cluster_certificate: metadata.environment.certificate,
    cluster_token: stdout.trim().split("\n").at(-1),
    member_config: [{ entity: "storage-pool", name: "default", key: "source", value: "" }],
  });
}

const create = (name: string, target: string) =>
  incus.createInstance(
    "default",
    { name, source: { type: "image", alias: "busybox" } },
    { target },
  );

test("what a member that is down holds is out of reach, and not gone", async () => {
  await create("near", "one");
  await create("far", "two");
  await incus.setInstanceState("default", "far", { action: "start" });
  expect(await incus.exec("default", "far", { command: ["hostname"] })).toMatchObject({
    stdout: "far\n",
  });
  await second.kill();

  // The server itself waits ten seconds for the member the first time.
  await expect(incus.getInstance("default", "far")).rejects.toMatchObject({
    name: "MemberDown",
    exitCode: 3,
    remedy: expect.stringContaining("incus cluster list"),
  });
  for (const call of [
    () => incus.getInstance("default", "far"),
    () => incus.getInstanceState("default", "far"),
    () => incus.updateInstance("default", "far", (now) => ({ ...now, description: "x" })),
    () => incus.setInstanceState("default", "far", { action: "stop", force: true }),
    () => incus.exec("default", "far", { command: ["true"] }),
    () => incus.deleteInstance("default", "far"),
    () => create("new", "two"),
  ]) {
    await expect(call()).rejects.toMatchObject({ name: "MemberDown" });
  }
  expect((await incus.getInstances("default")).map(({ name, status }) => [name, status])).toEqual([
    ["far", "Error"],
    ["near", "Stopped"],
  ]);
  expect((await incus.getInstance("default", "near")).value.location).toBe("one");
});

test("a member that is not there is named", async () => {
  await expect(create("lost", "three")).rejects.toMatchObject({
    name: "BadRequest",
    message: expect.stringContaining('"three" not found'),
  });
});
