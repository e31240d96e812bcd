import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A lock that the kernel drops when its holder ends, however it ends.
 *
 * Node has no flock(2), but the lock belongs to the open file description: flock(1) is handed
 * ours, takes the lock on it and exits, and the lock lasts as long as this process keeps the
 * descriptor open. Children do not inherit it.
 */
export class HeldLock {
  /** @param {number} fd of `openLock`, on which the lock was taken */
  constructor(fd) {
    this.fd = fd;
  }

  release() {
    if (this.fd < 0) return;
    ftruncateSync(this.fd, 0);
    closeSync(this.fd);
    this.fd = -1;
  }
}

/**
 * Takes the lock, or returns who holds it.
 *
 * @param {string} file made if absent, never removed (removing it would let two holders in)
 * @param {string} who what to tell others, such as `repoman up (pid 123)`
 * @returns {HeldLock | { holder: string }}
 */
export function tryLock(file, who) {
  const fd = openLock(file);
  try {
    if (takeLock(fd, who)) return new HeldLock(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return { holder: lockHolder(file) };
}

/**
 * Opens a lock without taking it.
 *
 * @param {string} file made if absent
 * @returns {number} a file descriptor
 */
export function openLock(file) {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, "a+", 0o600);
}

/**
 * Takes a lock that is open.
 *
 * @param {number} fd of `openLock`
 * @param {string} who
 * @returns {boolean} false when somebody else holds it
 */
export function takeLock(fd, who) {
  const { status, error } = spawnSync("flock", ["--nonblock", "--exclusive", "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  if (error) throw error;
  if (status !== 0) return false;
  ftruncateSync(fd, 0);
  writeSync(fd, `${who}\n`);
  return true;
}

/** @param {string} file @returns {string} who holds the lock, as they have said it */
export function lockHolder(file) {
  return readFileSync(file, "utf8").trim() || "another process";
}

/** Exit codes of `locking`: somebody else holds the lock; it cannot be taken at all. */
export const LOCK_BUSY = 75;
export const LOCK_TROUBLE = 76;

const TAKE_AND_EXEC = [
  `flock --nonblock --exclusive --conflict-exit-code ${LOCK_BUSY} 3`,
  `|| { test $? = ${LOCK_BUSY} && exit ${LOCK_BUSY}; exit ${LOCK_TROUBLE}; };`,
  'echo "$1" >"$2"; shift 2; exec "$@"',
].join(" ");

/**
 * The argument list of a child that takes the lock before it becomes `argv`: starting flock(1) from
 * a process of Node's size takes longer than flock does. The child gets the open lock as its
 * descriptor 3, and what it takes is held here too. The script is constant; all that varies is an
 * argument to it.
 *
 * @param {string} file
 * @param {string} who
 * @param {readonly string[]} argv
 * @returns {[string, ...string[]]}
 */
export function locking(file, who, argv) {
  return ["sh", "-c", TAKE_AND_EXEC, "sh", who, file, ...argv];
}

/**
 * Waits for the lock.
 *
 * @param {string} file
 * @param {string} who
 * @param {object} options
 * @param {number} options.timeoutMs
 * @param {(holder: string) => void} [options.onWait] called once, when somebody else holds it
 * @returns {Promise<HeldLock | { holder: string }>}
 */
export async function waitForLock(file, who, { timeoutMs, onWait }) {
  const deadline = Date.now() + timeoutMs;
  for (let first = true; ; first = false) {
    const lock = tryLock(file, who);
    if (lock instanceof HeldLock || Date.now() >= deadline) return lock;
    if (first) onWait?.(lock.holder);
    await sleep(100);
  }
}
