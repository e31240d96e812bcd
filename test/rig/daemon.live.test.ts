import { readFileSync } from "node:fs";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Daemon, startDaemon } from "./daemon.ts";
import { fingerprintOf, importImages, setAlias } from "./images.ts";
import { mountsBelow } from "./mounts.ts";
import { until } from "./place.ts";
import { processesWith } from "./processes.ts";

let one: Daemon;
let other: Daemon;

async function launch(daemon: Daemon, name: string, image = "busybox") {
  await daemon.api("POST", "/1.0/instances", { name, source: { type: "image", alias: image } });
  await daemon.api("PUT", `/1.0/instances/${name}/state`, { action: "start" });
}
const state = async (daemon: Daemon, name: string) =>
  (await daemon.api("GET", `/1.0/instances/${name}/state`)).metadata;
const address = (daemon: Daemon, name: string) =>
  until(`an address of ${name}`, async () => {
    const { network } = await state(daemon, name);
    const found = network?.eth0?.addresses.find(
      (each: { family: string }) => each.family === "inet",
    );
    return found?.address as string | undefined;
  });

beforeAll(async () => {
  [one, other] = await Promise.all([startDaemon({ https: true }), startDaemon()]);
  await Promise.all([importImages(one), importImages(other, ["busybox"])]);
});
afterAll(() => Promise.all([one?.dispose(), other?.dispose()]));

describe.sequential("a private daemon", () => {
  test("shares nothing with another one beside it", async () => {
    await Promise.all([launch(one, "same"), launch(other, "same")]);
    const addresses = await Promise.all([address(one, "same"), address(other, "same")]);
    expect(addresses[0]?.replace(/\.\d+$/, ".1/24")).toBe(one.subnet);
    expect(addresses[1]?.replace(/\.\d+$/, ".1/24")).toBe(other.subnet);
    await one.api("PUT", "/1.0/instances/same/state", { action: "stop", timeout: 10 });
    expect((await state(one, "same")).status).toBe("Stopped");
    expect((await state(other, "same")).status).toBe("Running");
  });

  test("is killed and started again on the same state, while containers run on", async () => {
    await launch(one, "steady");
    const { pid } = await state(one, "steady");
    const before = one.pid;
    await one.kill();
    await expect(one.api("GET", "/1.0")).rejects.toThrow(/ECONNREFUSED|ENOENT/);
    await one.restart();
    expect(one.pid).not.toBe(before);
    expect((await state(one, "steady")).pid).toBe(pid);
  });

  test("stops in order and starts again", async () => {
    await one.stop();
    await expect(one.api("GET", "/1.0")).rejects.toThrow(/ECONNREFUSED|ENOENT/);
    await one.restart();
    expect((await state(one, "steady")).status).toBe("Running");
  });

  test("accepts and does not answer while it is frozen", async () => {
    other.freeze();
    const answer = other.api("GET", "/1.0").then(() => "answered");
    const pause = new Promise((resolve) => setTimeout(resolve, 300, "waiting"));
    expect(await Promise.race([answer, pause])).toBe("waiting");
    other.thaw();
    expect(await answer).toBe("answered");
  });

  test("has an image that cannot start and one that ends at once", async () => {
    await expect(launch(one, "broken", "broken")).rejects.toThrow(/forkstart/);
    // While it ends, Incus itself stumbles over a process that is there no more.
    await launch(one, "exits", "exits").catch((error: unknown) => {
      expect(String(error)).toMatch(/Invalid PID/);
    });
    const status = () =>
      state(one, "exits").then(
        (found) => found.status,
        () => "ending",
      );
    await until("it to end", async () => (await status()) === "Stopped");
  });

  test("can have an alias moved to another image", async () => {
    const [before, target] = [
      await fingerprintOf(one, "busybox"),
      await fingerprintOf(one, "busybox/other"),
    ];
    expect(target).not.toBe(before);
    await setAlias(one, "busybox", target);
    expect(await fingerprintOf(one, "busybox")).toBe(target);
  });

  test("enforces limits", async () => {
    await one.api("PATCH", "/1.0/instances/steady", { config: { "limits.memory": "64MiB" } });
    const { stdout } = await one.incus("exec", "steady", "--", "grep", "MemTotal", "/proc/meminfo");
    expect(stdout).toMatch(/ 65536 kB/);
  });

  test("leaves no process, mount, bridge or file when it is disposed of, even when it was killed", async () => {
    await one.kill();
    expect(processesWith(`INCUS_DIR=${one.dir}`).length).toBeGreaterThan(1);
    await one.dispose();
    expect(processesWith(`INCUS_DIR=${one.dir}`)).toEqual([]);
    expect(mountsBelow(one.dir)).toEqual([]);
    const links = (await execa("ip", ["-brief", "link"])).stdout;
    expect(links).not.toMatch(new RegExp(`^${one.bridge} `, "m"));
    expect(links).toMatch(new RegExp(`^${other.bridge} `, "m"));
    expect(() => readFileSync(one.dir)).toThrow(/ENOENT/);
  });
});
