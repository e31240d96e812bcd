import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asRoot, identify, isAlive, startDetached, which } from "./process.js";

/** @typedef {import("./process.js").Identity} Identity */

const MOUNT_POINT = "/var/lib/lxcfs";
const PURPOSE = "Starting lxcfs";

/** Whether containers that start now will see their own limits in /proc. */
export const lxcfsRuns = () => existsSync(join(MOUNT_POINT, "proc"));

/**
 * Starts the file system that shows a container its own memory and processors instead of the
 * host's. One serves every daemon of the machine. Containers work without it, so where it cannot
 * run (no FUSE) it is left out.
 *
 * @param {string} pidFile where it notes its process
 * @returns {Promise<Identity | undefined>} what was started, undefined when nothing was
 */
export async function startLxcfs(pidFile) {
  const program = which("lxcfs");
  if (lxcfsRuns() || !program || !existsSync("/dev/fuse")) return undefined;
  if (isMounted(MOUNT_POINT)) {
    // One that died leaves a mount behind on which every access fails.
    await asRoot(["umount", "--lazy", MOUNT_POINT], PURPOSE);
  }
  await asRoot(["mkdir", "-p", MOUNT_POINT], PURPOSE);
  await startDetached([program, "--pidfile", pidFile, MOUNT_POINT], PURPOSE);
  // Where it is not allowed to mount it ends at once.
  const ended = () => !processes().some(({ command }) => command.split("\0").includes(pidFile));
  for (let tries = 0; tries < 100 && !lxcfsRuns(); tries++) {
    await sleep(50);
    if (tries > 4 && ended()) return undefined;
  }
  return lxcfsRuns() ? identify(Number(readFileSync(pidFile, "utf8"))) : undefined;
}

/**
 * Ends it, unless a container still looks through it or another daemon may start one that will.
 *
 * @param {Identity | undefined} started what `startLxcfs` returned
 * @returns {Promise<boolean>} whether it is gone
 */
export async function stopLxcfs(started) {
  if (!started || !isAlive(started)) return true;
  if (isNeeded(started.pid)) return false;
  await asRoot(["kill", String(started.pid)], "Stopping lxcfs");
  for (let tries = 0; tries < 60 && isAlive(started); tries++) await sleep(50);
  return !isAlive(started);
}

/**
 * A container is watched over by its monitor even when its daemon is gone.
 * @param {number} pid of lxcfs itself
 */
function isNeeded(pid) {
  const here = namespace(pid);
  return processes().some((other) => {
    const monitor = other.command.startsWith("[lxc monitor]");
    if (!monitor && read(`/proc/${other.pid}/comm`) !== "incusd\n") return false;
    // One in another mount namespace has a lxcfs of its own. Only root can tell.
    const there = namespace(other.pid);
    return here === "" || there === "" || here === there;
  });
}

/** @param {number} pid */
function namespace(pid) {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return "";
  }
}

/**
 * The processes of this machine that are not just exit codes, with their command lines (arguments
 * separated by NUL).
 * @returns {{ pid: number, command: string }[]}
 */
export function processes() {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && identify(Number(entry)))
    .map((entry) => ({ pid: Number(entry), command: read(`/proc/${entry}/cmdline`) }));
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** @param {string} path */
export function isMounted(path) {
  return read("/proc/self/mountinfo")
    .split("\n")
    .some((line) => line.split(" ")[4] === path);
}
