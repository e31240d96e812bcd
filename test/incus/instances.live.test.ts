import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type IncusClient } from "../../incus/client.ts";
import { ALL_PROJECTS } from "../../incus/instances.ts";
import { isServerKey, needsRestart } from "../../incus/keys.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { importImages } from "../rig/images.ts";

let daemon: Daemon;
let incus: IncusClient;
const image = { type: "image", alias: "busybox" } as const;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox", "broken"]);
  incus = await connect({ env: daemon.env });
  await incus.createProject({
    name: "estate",
    config: { "features.images": "false", "features.profiles": "false" },
  });
}, 60_000);
afterAll(async () => {
  incus?.close();
  await daemon?.dispose();
}, 60_000);

/** A container of its own for a test. */
async function make(name: string, more: object = {}, start = true): Promise<void> {
  await incus.createInstance("estate", { name, source: image, ...more });
  if (start) await incus.setInstanceState("estate", name, { action: "start" });
}

const config = async (name: string) => (await incus.getInstance("estate", name)).value.config;

describe("the server", () => {
  test("says who it is", async () => {
    expect(incus.remote).toBe("local");
    expect(incus.place).toBe(`the Incus daemon at ${daemon.socket}`);
    expect((await incus.getServer()).environment.server_version).toBe(
      incus.server.environment.server_version,
    );
  });

  test("lists what instances need", async () => {
    expect((await incus.getStoragePools()).map(({ name }) => name)).toEqual(["default"]);
    const networks = await incus.getNetworks();
    expect(networks.find(({ name }) => name === daemon.bridge)).toMatchObject({ managed: true });
    expect((await incus.getProfiles()).map(({ name }) => name)).toContain("default");
    expect((await incus.getProjects()).map(({ name }) => name).sort()).toEqual([
      "default",
      "estate",
    ]);
  });

  test("agrees on which keys need a restart", async () => {
    const { metadata } = await daemon.api("GET", "/1.0/metadata/configuration");
    const groups: Record<string, { keys: Record<string, KeyDoc>[] }> = metadata.configs.instance;
    const later = /^(boot\.|snapshots\.|cluster\.evacuate$|migration\.stateful$)/;
    const wrong = Object.values(groups)
      .flatMap((group) => group.keys)
      .flatMap((keys) => Object.entries(keys))
      .filter(
        ([key, { condition }]) =>
          !isServerKey(key) && !later.test(key) && condition !== "virtual machine",
      )
      .filter(([key, { liveupdate }]) => needsRestart(key) !== (liveupdate === "no"))
      .map(([key]) => key);
    expect(wrong).toEqual([]);
  });
});

interface KeyDoc {
  liveupdate?: string;
  condition?: string;
}

describe("an object that is not there", () => {
  test.each([
    ["project", () => incus.getProject("nope")],
    ["profile", () => incus.getProfile("nope")],
    ["instance", () => incus.getInstance("estate", "nope")],
    ["image", () => incus.getImage("default", "nope")],
    ["network", () => incus.getNetworkLeases("nope", "estate")],
  ])("is NotFound, and named: %s", async (kind, get) => {
    await expect(get()).rejects.toMatchObject({
      name: "NotFound",
      subject: expect.stringContaining(`${kind} "nope"`),
    });
  });

  test("cannot be found by a hostile name either", async () => {
    for (const name of ["../profiles/default", "a?project=default", "a#b", 'a"b', "a\nb"]) {
      await expect(incus.getInstance("estate", name)).rejects.toMatchObject({
        status: expect.toSatisfy((status) => status === 404 || status === 400),
      });
    }
  });
});

describe("a container", () => {
  test("is made, started, stopped, renamed and deleted", async () => {
    await make("life", { config: { "limits.memory": "64MiB" }, description: "one" });
    const { value } = await incus.getInstance("estate", "life");
    expect(value).toMatchObject({ status: "Running", description: "one", project: "estate" });
    expect((await incus.getInstanceState("estate", "life")).pid).toBeGreaterThan(0);
    expect((await incus.getInstances("estate")).map(({ name }) => name)).toContain("life");
    const full = (await incus.getInstances(ALL_PROJECTS, 2)).find(({ name }) => name === "life");
    expect(full?.state?.network).toHaveProperty("eth0");

    await incus.setInstanceState("estate", "life", { action: "stop", timeout: 10 });
    await incus.setInstanceState("estate", "life", { action: "stop", force: true });
    await incus.renameInstance("estate", "life", "afterlife");
    await incus.setInstanceState("estate", "afterlife", { action: "start" });
    await incus.setInstanceState("estate", "afterlife", { action: "start" });
    await expect(incus.deleteInstance("estate", "afterlife")).rejects.toThrow("is running");
    await incus.deleteInstance("estate", "afterlife", { force: true });
    await expect(incus.getInstance("estate", "afterlife")).rejects.toMatchObject({
      name: "NotFound",
    });
    await expect(incus.deleteInstance("estate", "afterlife")).rejects.toMatchObject({
      name: "NotFound",
    });
  });

  test("shows up among the network's leases", async () => {
    await make("lease");
    const leased = async () =>
      (await incus.getNetworkLeases(daemon.bridge, "estate")).some(
        ({ hostname }) => hostname === "lease",
      );
    for (let i = 0; i < 100 && !(await leased()); i++) await sleep(50);
    expect(await leased()).toBe(true);
    await incus.deleteInstance("estate", "lease", { force: true });
  });

  test("of a name that is taken is a conflict", async () => {
    await make("twice", {}, false);
    await expect(make("twice", {}, false)).rejects.toMatchObject({
      name: "AlreadyExists",
      exitCode: 4,
      message:
        'cannot create instance "twice" in project "estate": there is one of that name already',
    });
  });

  test("may name its image by the beginning of its fingerprint", async () => {
    const { fingerprint } = await incus.getImage("default", "busybox");
    const alias = fingerprint.slice(0, 12);
    expect((await incus.getImage("default", alias)).fingerprint).toBe(fingerprint);
    await incus.createInstance("estate", { name: "hex", source: { type: "image", alias } });
    expect(await config("hex")).toMatchObject({ "volatile.base_image": fingerprint });
  });

  test.each([
    ["image", { source: { type: "image", alias: "nope" } }, 'no image "nope" on the server'],
    ["image's fingerprint", { source: { type: "image", alias: "beef00" } }, 'no image "beef00"'],
    ["profile", { profiles: ["nope"] }, '"nope" doesn\'t exist'],
    ["key", { config: { "no.such": "1" } }, "Unknown configuration key: no.such"],
    ["mount", { devices: { x: { type: "disk", path: "/x", source: "/nope" } } }, "/nope"],
  ])("with a wrong %s is refused, and that is named", async (_what, more, text) => {
    await expect(make("wrong", more, false)).rejects.toMatchObject({
      name: "BadRequest",
      message: expect.stringContaining(text),
    });
  });

  test("that cannot start says why", async () => {
    await make("broken", { source: { type: "image", alias: "broken" } }, false);
    await expect(
      incus.setInstanceState("estate", "broken", { action: "start" }),
    ).rejects.toMatchObject({
      name: "OperationFailed",
      message: expect.stringContaining('Failed to exec "/sbin/init"'),
    });
    expect((await incus.getInstance("estate", "broken")).value.status).toBe("Stopped");
    await incus.deleteInstance("estate", "broken");
  });

  test("whose ids the host does not allow says what to do", async () => {
    await make("ids", { config: { "raw.idmap": "both 1234 1234" } }, false);
    await expect(
      incus.setInstanceState("estate", "ids", { action: "start" }),
    ).rejects.toMatchObject({
      remedy: expect.stringContaining("/etc/subuid"),
    });
  });
});
