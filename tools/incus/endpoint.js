import { accessSync, constants, existsSync, lstatSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { Api } from "./api.js";
import { ownFolder } from "./folder.js";

/**
 * Which daemon repoman talks to. It is the one that the incus client would find, with one more
 * place to look: the daemon that set-up makes where no service manager runs. Once an estate lives
 * there, that one counts even if the system gets a daemon later, since an empty server would
 * look like one that has lost everything.
 *
 * @typedef {object} Place
 * @property {"named" | "own" | "system"} kind named by `INCUS_SOCKET` or `INCUS_DIR`, repoman's own,
 *   or the system's
 * @property {string} socket
 * @property {string} [variable] the one that named it
 */

/** @typedef {import("../../host/paths.js").Paths} Paths */

/** What is known of repoman's own daemon; see `daemon.js`. @param {Paths} paths */
export const recordFile = (paths) => join(paths.stateDir, "incus.json");

/**
 * @param {Paths} paths
 * @param {NodeJS.ProcessEnv} env
 * @returns {Place}
 */
export function locate(paths, env) {
  if (env.INCUS_SOCKET)
    return { kind: "named", socket: env.INCUS_SOCKET, variable: "INCUS_SOCKET" };
  const own = ownFolder(paths);
  if (env.INCUS_DIR && resolve(env.INCUS_DIR) !== own) {
    return { kind: "named", socket: socketIn(env.INCUS_DIR), variable: "INCUS_DIR" };
  }
  if (env.INCUS_DIR || ownIsInUse(paths)) return { kind: "own", socket: socketIn(own) };
  return { kind: "system", socket: socketIn(systemFolder()) };
}

/** As the client decides: the mere presence of a socket under /run. */
function systemFolder() {
  return lstatSync("/run/incus/unix.socket", { throwIfNoEntry: false })
    ? "/run/incus"
    : "/var/lib/incus";
}

/** @param {Paths} paths */
function ownIsInUse(paths) {
  try {
    const record = JSON.parse(readFileSync(recordFile(paths), "utf8"));
    return record.initialised === true && existsSync(join(ownFolder(paths), "database"));
  } catch {
    return false;
  }
}

/**
 * The socket in a folder; the restricted one where only that may be used, as the client decides.
 * @param {string} folder
 */
function socketIn(folder) {
  const socket = join(folder, "unix.socket");
  const restricted = `${socket}.user`;
  return !writable(socket) && writable(restricted) ? restricted : socket;
}

/** @param {string} file */
function writable(file) {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The variables with which the incus client, Pulumi's program and everything else find the same
 * daemon as set-up did. Empty where they would anyway.
 *
 * @param {Paths} paths
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Record<string, string>}
 */
export function incusEnv(paths, env = process.env) {
  return locate(paths, env).kind === "own" ? { INCUS_DIR: ownFolder(paths) } : {};
}

/**
 * @typedef {object} Probe
 * @property {"answers" | "restricted" | "denied" | "absent" | "silent"} state
 * @property {any} [server] what `GET /1.0` said, when it answers
 * @property {string} [reason] when silent
 */

/**
 * Asks the daemon once.
 *
 * @param {string} socket
 * @param {number} [timeoutMs] a service that starts on demand answers its first caller late
 * @returns {Promise<Probe>}
 */
export async function probe(socket, timeoutMs = 10_000) {
  if (socket.endsWith(".user")) return { state: "restricted" };
  try {
    return { state: "answers", server: await new Api(socket).get("/1.0", timeoutMs) };
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === "EACCES" || code === "EPERM") return { state: "denied" };
    if (code === "ENOENT" || code === "ENOTDIR") return { state: "absent" };
    if (code === "ABORT_ERR")
      return { state: "silent", reason: `no answer in ${timeoutMs / 1000} s` };
    if (code === "ECONNREFUSED") return { state: "silent", reason: "nothing listens there" };
    return { state: "silent", reason: message };
  }
}

/**
 * Turns away the user that the daemon will not serve in full.
 *
 * @param {Place} place
 * @param {Probe} probe
 * @throws {Fault} (exit 3)
 */
export function refuseIfForbidden({ socket }, { state }) {
  if (state !== "denied" && state !== "restricted") return;
  const { username } = userInfo();
  const what =
    state === "denied"
      ? `The Incus daemon at ${socket} does not let ${username} in`
      : `${username} may use only Incus's restricted socket (group incus), which cannot make profiles and projects`;
  throw new Fault(what, {
    remedy: isMember("incus-admin", username)
      ? `${username} is in group incus-admin, but was not yet when this session began: log in again.`
      : `Add yourself to group incus-admin, whose members can do what root can, and log in again:\nsudo usermod -aG incus-admin ${username}`,
    exitCode: EXIT.environment,
  });
}

/** @param {string} group @param {string} user */
function isMember(group, user) {
  return groupEntry(group)?.members.includes(user) ?? false;
}

/**
 * A group of this machine's own list.
 * @param {string} name
 * @returns {{ gid: number, members: string[] } | undefined}
 */
export function groupEntry(name) {
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  if (!line) return undefined;
  const [, , gid = "", members = ""] = line.split(":");
  return { gid: Number(gid), members: members.split(",").filter(Boolean) };
}
