import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Api } from "../../tools/incus/api.js";
import { initialise, survey } from "../../tools/incus/initialise.js";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { addressOf, launch, newBridge } from "./own.ts";

let daemon: Daemon;
afterEach(() => daemon.dispose());

const quiet = { step: () => {} };

/** All that set-up could have changed. */
async function everything(api: Api) {
  const { config } = await api.get("/1.0");
  return {
    config,
    pools: await api.list("/1.0/storage-pools?recursion=1"),
    networks: (await api.list("/1.0/networks?recursion=1")).filter(({ managed }) => managed),
    profile: await api.get("/1.0/profiles/default"),
  };
}

describe("a fresh server", () => {
  test("gets a pool, a bridge and a default profile on which a container has an address", async () => {
    daemon = await startDaemon({ bare: true });
    const api = new Api(daemon.socket);
    expect((await survey(api)).state).toBe("fresh");
    await initialise(daemon.socket, { progress: quiet, bridge: newBridge() });
    expect((await survey(api)).state).toBe("initialised");
    const { config, pools, networks, profile } = await everything(api);
    // No mark of the work stays.
    expect(config).toEqual({});
    expect(pools).toMatchObject([{ name: "default", status: "Created" }]);
    expect(networks).toMatchObject([{ type: "bridge", status: "Created" }]);
    expect(networks[0].config).toMatchObject({ "ipv4.nat": "true" });
    expect(profile.devices).toEqual({
      eth0: { type: "nic", name: "eth0", network: networks[0].name },
      root: { type: "disk", path: "/", pool: "default" },
    });
    await launch(daemon.socket, "one");
    const subnet = networks[0].config["ipv4.address"].replace(/\d+\/24$/, "");
    expect(await addressOf(daemon.socket, "one")).toContain(subnet);
  });

  test("gets a copy-on-write pool where the kernel has btrfs and its tools are there", async () => {
    daemon = await startDaemon({ bare: true });
    await initialise(daemon.socket, { progress: quiet, bridge: newBridge() });
    const [{ driver }] = await new Api(daemon.socket).list("/1.0/storage-pools?recursion=1");
    const { code } = await runQuiet("mkfs.btrfs", "--version");
    const kernel = /\tbtrfs$/m.test(readFileSync("/proc/filesystems", "utf8"));
    expect(driver).toBe(code === 0 && kernel ? "btrfs" : "dir");
  });

  test("is completed by the next set-up wherever the last one was killed", {
    timeout: 240_000,
  }, async () => {
    daemon = await startDaemon({ bare: true });
    const api = new Api(daemon.socket);
    const bridge = newBridge();
    // From before its first request to after its last.
    for (let delay = 60; delay < 1500; delay += 60) {
      const child = runInitialise(daemon.socket, bridge);
      await Promise.race([child.done, sleep(delay)]);
      child.kill();
      await child.done;
      const { state } = await survey(api);
      expect(["fresh", "begun", "initialised"]).toContain(state);
    }
    await initialise(daemon.socket, { progress: quiet, bridge });
    expect((await survey(api)).state).toBe("initialised");
    const { pools, networks, profile, config } = await everything(api);
    expect(pools).toMatchObject([{ status: "Created" }]);
    expect(networks).toMatchObject([{ status: "Created" }]);
    expect(Object.keys(profile.devices).sort()).toEqual(["eth0", "root"]);
    expect(config).toEqual({});
    await launch(daemon.socket, "one");
  });
});

describe("a server that somebody has initialised", () => {
  test("is left exactly as it is", async () => {
    daemon = await startDaemon();
    const api = new Api(daemon.socket);
    const before = await everything(api);
    await initialise(daemon.socket, { progress: quiet, bridge: newBridge() });
    expect(await everything(api)).toEqual(before);
  });

  test("counts as such with a pool alone, or with a default profile alone", async () => {
    daemon = await startDaemon({ bare: true });
    const api = new Api(daemon.socket);
    await api.post("/1.0/storage-pools", { name: "mine", driver: "dir", config: {} });
    const before = await everything(api);
    await initialise(daemon.socket, { progress: quiet, bridge: newBridge() });
    expect(await everything(api)).toEqual(before);
    await api.delete("/1.0/storage-pools/mine");
    const devices = { mine: { type: "none" } };
    await api.patch("/1.0/profiles/default", { devices });
    await initialise(daemon.socket, { progress: quiet, bridge: newBridge() });
    expect(await everything(api)).toMatchObject({ pools: [], profile: { devices } });
  });
});

function runQuiet(program: string, ...args: string[]): Promise<{ code: number }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "ignore" });
    child.once("error", () => resolve({ code: 127 }));
    child.once("close", (code) => resolve({ code: code ?? 1 }));
  });
}

/** In a process of its own, which can be killed. */
function runInitialise(socket: string, bridge: string) {
  const module = new URL("../../tools/incus/initialise.js", import.meta.url).href;
  const program = `
    const { initialise } = await import(${JSON.stringify(module)});
    const [socket, bridge] = process.argv.slice(1);
    await initialise(socket, { progress: { step() {} }, bridge });`;
  const child = spawn(
    process.execPath,
    ["--input-type=module", "--eval", program, socket, bridge],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const done = new Promise<"done">((resolve) => child.once("close", () => resolve("done")));
  return { done, kill: () => void child.kill("SIGKILL") };
}
