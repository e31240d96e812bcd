import { execFileSync } from "node:child_process";
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

/** Changes a key behind the client's back, before anything else in this process runs. */
const meddleNow = (name: string, key: string, value: string) =>
  execFileSync("incus", ["config", "set", "--project", "estate", name, `${key}=${value}`], {
    env: { ...process.env, ...daemon.env, INCUS_CONF: daemon.dir },
  });

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

describe("an update", () => {
  test("keeps what it does not change, and writes nothing for nothing", async () => {
    await make("still", { config: { "user.a": "1" } }, false);
    const before = await config("still");
    expect(await incus.updateInstance("estate", "still", (now) => now)).toBe(false);
    const set = (value: string) =>
      incus.updateInstance("estate", "still", (now) => ({
        ...now,
        config: { ...now.config, "user.b": value },
      }));
    expect(await set("2")).toBe(true);
    expect(await config("still")).toEqual({ ...before, "user.b": "2" });
  });

  test("is made anew on what somebody else changed meanwhile", async () => {
    await make("raced", {}, false);
    const seen: unknown[] = [];
    await incus.updateInstance("estate", "raced", (now) => {
      seen.push(now.config["user.other"]);
      // Between our read and our write, since nothing else can run meanwhile.
      if (seen.length === 1) meddleNow("raced", "user.other", "theirs");
      return { ...now, config: { ...now.config, "user.mine": "ours" } };
    });
    expect(seen).toEqual([undefined, "theirs"]);
    expect(await config("raced")).toMatchObject({ "user.mine": "ours", "user.other": "theirs" });
  });

  test("of many at once loses none", async () => {
    await make("crowd", {}, false);
    const writers = ["a", "b", "c", "d", "e"];
    await Promise.all(
      writers.map((who) =>
        incus.updateInstance("estate", "crowd", (now) => ({
          ...now,
          config: { ...now.config, [`user.${who}`]: "here" },
        })),
      ),
    );
    expect(await config("crowd")).toMatchObject(
      Object.fromEntries(writers.map((who) => [`user.${who}`, "here"])),
    );
  });

  test("that names a profile that is not there does not take the instance for gone", async () => {
    await make("kept", {}, false);
    const update = incus.updateInstance("estate", "kept", (now) => ({
      ...now,
      profiles: ["default", "nope"],
    }));
    await expect(update).rejects.toMatchObject({
      name: "BadRequest",
      message: expect.stringContaining("Profile not found"),
    });
  });
});

describe("an instance that is busy", () => {
  test("is waited for", async () => {
    await make("slow", { config: { "raw.lxc": "lxc.hook.pre-start = /bin/sleep 2" } }, false);
    const start = incus.setInstanceState("estate", "slow", { action: "start" });
    await sleep(300);
    const direct = daemon.api("PATCH", "/1.0/instances/slow?project=estate", {
      config: { "user.b": "2" },
    });
    await expect(direct).rejects.toThrow("Instance is busy");
    await incus.updateInstance("estate", "slow", (now) => ({
      ...now,
      config: { ...now.config, "user.a": "1" },
    }));
    await start;
    expect((await incus.getInstance("estate", "slow")).value).toMatchObject({
      status: "Running",
      config: { "user.a": "1" },
    });
  }, 30_000);

  test("is waited for no longer than the caller wants", async () => {
    await make("hasty", { config: { "raw.lxc": "lxc.hook.pre-start = /bin/sleep 2" } }, false);
    const start = incus.setInstanceState("estate", "hasty", { action: "start" });
    await sleep(300);
    const update = incus.updateInstance(
      "estate",
      "hasty",
      (now) => ({ ...now, config: { ...now.config, "user.a": "1" } }),
      { signal: AbortSignal.timeout(200) },
    );
    await expect(update).rejects.toMatchObject({ name: "TimeoutError" });
    await start;
  }, 30_000);

  test("because it does not stop says how to get through", async () => {
    // Its init never hears the signal.
    await make("deaf", { config: { "raw.lxc": "lxc.signal.halt = SIGWINCH" } });
    const stop = incus.setInstanceState("estate", "deaf", { action: "stop", timeout: 1 });
    await expect(stop).rejects.toMatchObject({
      name: "TimedOut",
      remedy: expect.stringContaining("incus stop --force"),
    });
    const update = incus.updateInstance("estate", "deaf", (now) => ({ ...now, description: "x" }));
    await expect(update).rejects.toMatchObject({
      name: "Busy",
      remedy: expect.stringContaining("incus stop --force"),
    });
    await incus.deleteInstance("estate", "deaf", { force: true });
  }, 30_000);
});
