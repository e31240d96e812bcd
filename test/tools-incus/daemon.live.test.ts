import { chmodSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Api } from "../../tools/incus/api.js";
import { start, status, stop } from "../../tools/incus/daemon.js";
import { probe, recordFile } from "../../tools/incus/endpoint.js";
import { mountsBelow } from "../rig/mounts.ts";
import { processesWith, signal } from "../rig/processes.ts";
import { addressOf, eventually, launch, person, personWithDaemon } from "./own.ts";

describe("repoman's own daemon", () => {
  test("runs containers though its folder lies below a closed home", async () => {
    const { socket, home, context, paths } = await personWithDaemon();
    expect(statSync(home).mode & 0o777).toBe(0o700);
    await launch(socket, "one");
    expect(await addressOf(socket, "one")).toMatch(/^\d+\./);
    expect(await status(context)).toMatchObject({
      kind: "own",
      state: "running",
      socket: join(paths.stateDir, "incus/unix.socket"),
      log: join(paths.stateDir, "incus.log"),
      instances: ["default/one"],
    });
  });

  test("is started once, however many ask", async () => {
    const { context, folder } = person();
    const sockets = await Promise.all([start(context), start(context), start(context)]);
    expect(new Set(sockets).size).toBe(1);
    const daemons = processesWith(`INCUS_DIR=${folder}`).filter(({ name }) => name === "incusd");
    expect(daemons).toHaveLength(1);
  });

  test("outlives the one who started it, in a session of its own", async () => {
    const { folder } = await personWithDaemon();
    const [daemon] = processesWith(`INCUS_DIR=${folder}`).filter(({ name }) => name === "incusd");
    const session = readFileSync(`/proc/${daemon?.pid}/stat`, "utf8").replace(/^.*\) /s, "");
    expect(Number(session.split(" ")[3])).not.toBe(process.pid);
    expect(daemon?.parent).not.toBe(process.pid);
  });

  test("stops with its containers, names them, and leaves no process and no mount", async () => {
    const { socket, context, folder, steps } = await personWithDaemon();
    await launch(socket, "one");
    expect(await stop(context)).toEqual({ stopped: true, instances: ["default/one"] });
    expect(steps.at(-1)).toContain("default/one");
    expect(mountsBelow(folder)).toEqual([]);
    await eventually(
      "all processes to end",
      () => processesWith(`INCUS_DIR=${folder}`).length === 0,
    );
    expect(await status(context)).toMatchObject({ state: "stopped", instances: [] });
    expect(await stop(context)).toEqual({ stopped: false, instances: [] });
  });

  test("comes back with what was in it, and what ran runs", async () => {
    const { socket, context } = await personWithDaemon();
    await launch(socket, "one");
    const { config } = await new Api(socket).get("/1.0/instances/one");
    await stop(context);
    await start(context);
    const back = await new Api(socket).get("/1.0/instances/one");
    expect(back.config["volatile.uuid"]).toBe(config["volatile.uuid"]);
    await addressOf(socket, "one");
  });

  test("that was killed is known to have containers still, and stops them", async () => {
    const { socket, context, folder } = await personWithDaemon();
    await launch(socket, "one");
    // A container's monitor is a fork of the daemon.
    for (const { pid, name, argv } of processesWith(`INCUS_DIR=${folder}`)) {
      if (name === "incusd" && argv.includes("--group")) signal(pid, "SIGKILL");
    }
    await eventually("the daemon to die", async () => (await probe(socket)).state !== "answers");
    expect(await status(context)).toMatchObject({ state: "stopped", instances: ["default/one"] });
    expect(await stop(context)).toMatchObject({ stopped: true, instances: ["default/one"] });
    expect(mountsBelow(folder)).toEqual([]);
  });

  test("that cannot stop in time names what is still running", async () => {
    const { socket, context, api } = await personWithDaemon();
    await launch(socket, "stubborn");
    await api.put("/1.0/instances/stubborn/state", { action: "stop", force: true, timeout: 10 });
    // Asked to shut down by a signal that its first process ignores.
    await api.patch("/1.0/instances/stubborn", {
      config: { "raw.lxc": "lxc.signal.halt = SIGURG" },
    });
    await api.put("/1.0/instances/stubborn/state", { action: "start", timeout: 10 });
    await expect(stop(context, { timeoutSeconds: 2 })).rejects.toMatchObject({
      what: expect.stringMatching(/after 2 s.*still running: default\/stubborn/s),
      remedy: expect.stringContaining("--force"),
      exitCode: 1,
    });
  });

  test("that cannot start says why and where its log is", async () => {
    const { context, paths } = person();
    // A database that is none.
    const database = join(paths.stateDir, "incus/database");
    mkdirSync(database, { recursive: true });
    mkdirSync(join(database, "local.db"));
    await expect(start(context)).rejects.toMatchObject({
      what: expect.stringMatching(/did not come up: (?!no answer)/),
      remedy: expect.stringContaining("incus.log"),
      exitCode: 3,
    });
  });

  test("refuses a path that no socket can have", async () => {
    const { context, env } = person();
    const stateDir = join(`/tmp/${"long".repeat(25)}`, "repoman");
    const paths = { ...context.paths, stateDir };
    await expect(start({ ...context, env, paths })).rejects.toMatchObject({
      what: expect.stringContaining("too long"),
      remedy: expect.stringContaining("XDG_STATE_HOME"),
    });
  });

  test("keeps a damaged record from being the end of it", async () => {
    const { context, paths } = await personWithDaemon();
    chmodSync(recordFile(paths), 0o600);
    const { writeFileSync } = await import("node:fs");
    writeFileSync(recordFile(paths), "{ half");
    expect(await status(context)).toMatchObject({ kind: "own", state: "running" });
    expect(await stop(context)).toMatchObject({ stopped: true });
  });
});
