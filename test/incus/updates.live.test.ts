import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type IncusClient } from "../../incus/client.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { importImages } from "../rig/images.ts";

let daemon: Daemon;
let incus: IncusClient;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  incus = await connect({ env: daemon.env });
  await incus.createProject({
    name: "estate",
    config: { "features.images": "false", "features.profiles": "false" },
  });
});
afterAll(async () => {
  incus?.close();
  await daemon?.dispose();
});

/** A container of its own for a test. */
async function make(name: string, more: object = {}, start = true): Promise<void> {
  const source = { type: "image", alias: "busybox" } as const;
  await incus.createInstance("estate", { name, source, ...more });
  if (start) await incus.setInstanceState("estate", name, { action: "start" });
}

const config = async (name: string) => (await incus.getInstance("estate", name)).value.config;

/** Changes a key behind the client's back, before anything else in this process runs. */
const meddleNow = (name: string, key: string, value: string) =>
  execFileSync("incus", ["config", "set", "--project", "estate", name, `${key}=${value}`], {
    env: { ...process.env, ...daemon.env, INCUS_CONF: daemon.dir },
    stdio: "pipe",
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
