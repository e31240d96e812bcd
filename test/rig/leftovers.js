import { randomBytes } from "node:crypto";
import {
  fstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { HeldLock, tryLock } from "../../host/lock.js";
import { removeCgroups } from "./cgroups.js";

/** Only root writes here, and a restart of the machine empties it. */
const RUNS = "/run/repoman-test";
export const PREFIX = "repoman-test.";

/**
 * @typedef {object} Run
 * @property {string} name unique, begins with `PREFIX`
 * @property {string} folder on the machine's own disk: the lock, and the list of what to remove
 * @property {HeldLock} lock
 */

/** @returns {Run} */
export function openRun() {
  for (;;) {
    const name = `${PREFIX}${randomBytes(4).toString("hex")}`;
    const folder = join(RUNS, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, "lock");
    const lock = tryLock(file, `npm test (pid ${process.pid})`);
    if (!(lock instanceof HeldLock)) continue;
    // Another run's clean-up may have come between the folder and its lock.
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.ino === fstatSync(lock.fd).ino) return { name, folder, lock };
    lock.release();
  }
}

/**
 * Writes down what the run is about to make outside its namespace, before it does.
 *
 * @param {Run} run
 * @param {string[]} cgroups
 */
export function recordCgroups(run, cgroups) {
  writeFileSync(join(run.folder, "cgroups.json"), JSON.stringify(cgroups));
}

/**
 * Removes a run whose processes have ended.
 *
 * @param {Run} run
 * @returns {Promise<string[]>} what could not be removed; the next run tries again
 */
export async function closeRun(run) {
  const left = await removeCgroups(recordedCgroups(run.folder));
  if (left.length === 0) rmSync(run.folder, { recursive: true, force: true });
  run.lock.release();
  try {
    rmdirSync(RUNS);
  } catch {
    // Others are still at work.
  }
  return left;
}

/**
 * Removes what crashed runs left: those whose lock nobody holds any more.
 *
 * @returns {Promise<string[]>} what could not be removed
 */
export async function sweep() {
  const left = [];
  let names;
  try {
    names = readdirSync(RUNS);
  } catch {
    return [];
  }
  for (const name of names) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(RUNS, name);
    let lock;
    try {
      lock = tryLock(join(folder, "lock"), `clean-up (pid ${process.pid})`);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") continue;
      throw error;
    }
    if (lock instanceof HeldLock) left.push(...(await closeRun({ name, folder, lock })));
  }
  return left;
}

/** @param {string} folder */
function recordedCgroups(folder) {
  try {
    const paths = JSON.parse(readFileSync(join(folder, "cgroups.json"), "utf8"));
    // A torn record is no reason to remove what is not ours.
    return paths.filter(
      (/** @type {unknown} */ path) => typeof path === "string" && path.includes(`/${PREFIX}`),
    );
  } catch {
    return [];
  }
}
