import { existsSync } from "node:fs";
import { join } from "node:path";
import { Api } from "./api.js";
import { locate, probe } from "./endpoint.js";
import { daemonFolder, ownFolder } from "./folder.js";
import { processes } from "./lxcfs.js";

/** @typedef {import("../../host/paths.js").Paths} Paths */

/** The log of repoman's own daemon. @param {Paths} paths */
export const logFile = (paths) => join(paths.stateDir, "incus.log");

/** The socket of repoman's own daemon, whether or not it is the one in use. @param {Paths} paths */
export const ownSocket = (paths) => join(ownFolder(paths), "unix.socket");

/**
 * @typedef {object} Status
 * @property {"own" | "system" | "named"} kind whose the daemon is that repoman talks to; only its
 *   own is repoman's to stop
 * @property {"running" | "stopped" | "forbidden" | "absent"} state
 * @property {string} socket
 * @property {string} [version]
 * @property {number} [pid]
 * @property {string[]} instances running, `<project>/<name>`
 * @property {string} [folder] of repoman's own
 * @property {string} [log] of repoman's own
 */

/**
 * @param {{ paths: Paths, env: NodeJS.ProcessEnv }} context
 * @returns {Promise<Status>}
 */
export async function status({ paths, env }) {
  let place = locate(paths, env);
  // One whose set-up was interrupted does not count yet, but is there to be stopped.
  if (place.kind === "system" && existsSync(ownSocket(paths))) {
    const own = await probe(ownSocket(paths));
    if (own.state === "answers" || monitors(paths).length > 0)
      place = { kind: "own", socket: ownSocket(paths) };
  }
  const { state, server } = await probe(place.socket);
  const files = place.kind === "own" ? { folder: ownFolder(paths), log: logFile(paths) } : {};
  const common = { kind: place.kind, socket: place.socket, instances: [], ...files };
  if (state === "answers") {
    const { server_version: version, server_pid: pid } = server.environment;
    return { ...common, state: "running", version, pid, instances: await running(place.socket) };
  }
  if (state === "denied" || state === "restricted") return { ...common, state: "forbidden" };
  const known = state === "silent" || place.kind === "own";
  return { ...common, state: known ? "stopped" : "absent", instances: monitors(paths) };
}

/**
 * Instances that are not stopped, as `<project>/<name>`.
 * @param {string} socket
 * @returns {Promise<string[]>}
 */
export async function running(socket) {
  const all = await new Api(socket).list("/1.0/instances?recursion=1&all-projects=true");
  return all
    .filter((/** @type {any} */ instance) => instance.status_code !== 102)
    .map((/** @type {any} */ { project, name }) => `${project}/${name}`)
    .sort();
}

/**
 * Containers of this daemon that are alive, by their monitors: true also when the daemon is not.
 * @param {Paths} paths
 * @returns {string[]} `<project>/<name>`
 */
export function monitors(paths) {
  const prefix = `[lxc monitor] ${daemonFolder(paths)}/containers `;
  return processes()
    .filter(({ command }) => command.startsWith(prefix))
    .map(({ command }) => command.slice(prefix.length).replace(/\0.*$/s, ""))
    .map((name) => (name.includes("_") ? name.replace("_", "/") : `default/${name}`));
}
