import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, Fault } from "../../host/fault.js";
import { isMounted } from "./lxcfs.js";
import { asRoot, lastWords } from "./process.js";

/** @typedef {import("../../host/paths.js").Paths} Paths */

/** What repoman's own daemon keeps; its socket too. @param {Paths} paths */
export const ownFolder = (paths) => join(paths.stateDir, "incus");

/**
 * Where the daemon itself sees that folder. A container's root is nobody outside, and has to pass
 * every folder above its files; homes are closed to others, so the folder is mounted where
 * anybody may pass. The pool remembers this path, so it is always the same.
 *
 * @param {Paths} paths
 */
export function daemonFolder(paths) {
  const name = createHash("sha256").update(ownFolder(paths)).digest("hex").slice(0, 8);
  return `/run/repoman/incus-${name}`;
}

/**
 * @param {Paths} paths
 * @returns {Promise<string>} the folder for the daemon
 * @throws {Fault} (exit 3)
 */
export async function mountFolder(paths) {
  const source = ownFolder(paths);
  const target = daemonFolder(paths);
  const purpose = "Mounting Incus's folder";
  await mkdir(source, { recursive: true });
  if (isMounted(target)) {
    if (statSync(target).ino === statSync(source).ino) return target;
    // The folder was deleted and made again.
    await asRoot(["umount", "--lazy", target], purpose);
  }
  for (const argv of [
    ["mkdir", "-p", target],
    ["mount", "--bind", source, target],
    // Else what the daemon mounts below shows up below the source as well.
    ["mount", "--make-private", target],
  ]) {
    const finished = await asRoot(argv, purpose);
    if (finished.code === 0) continue;
    throw new Fault(`${purpose} at ${target} failed: ${lastWords(finished)}`, {
      remedy: "run repoman on a machine, or in a container that may mount (privileged)",
      exitCode: EXIT.environment,
    });
  }
  return target;
}

/** How long what the daemon has started may take to let go of its folder, in tries of 100 ms. */
const TRIES = 50;
/** umount's exit code where a mount could not be taken off. */
const BUSY = 32;

/**
 * Undoes it, once the daemon is down. One that was killed has left mounts of its own below, and
 * what ends with a container needs a moment.
 *
 * @param {Paths} paths
 */
export async function unmountFolder(paths) {
  const target = daemonFolder(paths);
  const purpose = "Unmounting Incus's folder";
  for (let tries = 0; isMounted(target) && tries < TRIES; tries++) {
    if (tries > 0) await sleep(100);
    const { code } = await asRoot(["umount", "--recursive", target], purpose);
    if (code !== BUSY) break;
  }
  if (existsSync(target)) await asRoot(["rmdir", "--ignore-fail-on-non-empty", target], purpose);
}
