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
  /** @param {number} fd */
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
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, "a+", 0o600);
  const { status, error } = spawnSync("flock", ["--nonblock", "--exclusive", "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  if (status === 0) {
    ftruncateSync(fd, 0);
    writeSync(fd, `${who}\n`);
    return new HeldLock(fd);
  }
  closeSync(fd);
  if (error) throw error;
  return { holder: readFileSync(file, "utf8").trim() || "another process" };
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
