import { fstatSync } from "node:fs";

/**
 * Calls back once the process that started this one is gone. The engine puts its plugins into
 * process groups of their own, so whatever ends it (a `kill -9`, a lost terminal) does not reach
 * them. Keeps nothing alive.
 *
 * @param {() => void} onGone
 * @param {number} [everyMs] how often to look, for where no pipe tells
 */
export function endWithParent(onGone, everyMs = 1000) {
  const parent = process.ppid;
  let gone = false;
  const look = () => {
    if (gone || process.ppid === parent) return;
    gone = true;
    clearInterval(timer);
    onGone();
  };
  const timer = setInterval(look, everyMs).unref();
  // The engine holds the other end of standard input and never writes to it: its end comes at
  // once, a tick or two before the kernel has found us another parent.
  if (!fstatSync(0).isFIFO()) return;
  process.stdin.on("end", () => {
    for (const delay of [0, 20, 100]) setTimeout(look, delay);
  });
  process.stdin.on("error", () => {});
  process.stdin.resume();
  /** @type {import("node:net").Socket} */ (process.stdin).unref();
}
