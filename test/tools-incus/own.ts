import { mkdtempSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { paths as hostPaths } from "../../host/paths.js";
import { Api } from "../../tools/incus/api.js";
import { remember, start, stop } from "../../tools/incus/daemon.js";
import { daemonFolder } from "../../tools/incus/folder.js";
import { initialise } from "../../tools/incus/initialise.js";
import { call, type Method } from "../rig/api.ts";
import type { Daemon } from "../rig/daemon.ts";
import { importImages } from "../rig/images.ts";
import { unmountBelow } from "../rig/mounts.ts";
import { killAll, processesWith } from "../rig/processes.ts";

let bridges = 0;
/** A name that no other test takes at the same time. */
export const newBridge = () => `t${process.pid}n${bridges++}b0`;

/** Somebody with a home that is closed to others, as homes are. */
export function person() {
  const home = mkdtempSync("/tmp/h.");
  const env: NodeJS.ProcessEnv = { HOME: home, PATH: process.env.PATH };
  const paths = hostPaths(env);
  const steps: string[] = [];
  const context = { env, paths, progress: { step: (text: string) => void steps.push(text) } };
  onTestFinished(async () => {
    await stop(context, { timeoutSeconds: 5 }).catch(() => {});
    await killAll(() => processesWith(`INCUS_DIR=${daemonFolder(paths)}`));
    await unmountBelow(daemonFolder(paths));
    rmSync(home, { recursive: true, force: true });
  });
  return { ...context, context, home, steps, folder: daemonFolder(paths) };
}

/** Their own daemon, ready for containers. */
export async function personWithDaemon() {
  const someone = person();
  const socket = await start(someone.context);
  await initialise(socket, {
    ...someone.context,
    folder: someone.folder,
    bridge: newBridge(),
    drivers: [],
  });
  await remember(someone.paths, { initialised: true });
  return { ...someone, socket, api: new Api(socket) };
}

/** A small container, running. */
export async function launch(socket: string, name: string) {
  const api = new Api(socket);
  const call_ = (method: Method, path: string, body?: object) => call(socket, method, path, body);
  await importImages({ socket, api: call_ } as Daemon, ["busybox"]);
  const source = { type: "image", alias: "busybox" };
  await api.post("/1.0/instances", { name, type: "container", source, start: true });
}

/** The IPv4 address that a container has got. */
export async function addressOf(socket: string, name: string): Promise<string> {
  let address = "";
  await eventually(`an address of ${name}`, async () => {
    const { network } = await new Api(socket).get(`/1.0/instances/${name}/state`);
    const found = (network?.eth0?.addresses ?? []).find(
      (one: { family: string }) => one.family === "inet",
    );
    address = found?.address ?? "";
    return address !== "";
  });
  return address;
}

/** Asks until it is so. */
export async function eventually(what: string, ask: () => Promise<boolean> | boolean) {
  for (let tries = 0; tries < 400; tries++) {
    if (await ask()) return;
    await sleep(50);
  }
  throw new Error(`waited 20 s for ${what}`);
}
