import { readFileSync } from "node:fs";

/**
 * A process that cannot be mistaken for a later one with the same number.
 *
 * @typedef {object} Process
 * @property {number} pid
 * @property {number} parent
 * @property {string} started in clock ticks since boot
 * @property {string} name the first 15 bytes of the program's name
 * @property {string} state `Z` and `X` are dead
 */

/**
 * @param {number} pid
 * @returns {Process | undefined} undefined when there is none
 */
export function look(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name is in parentheses and may itself hold any character.
    const end = text.lastIndexOf(")");
    const fields = text.slice(end + 2).split(" ");
    return {
      pid,
      name: text.slice(text.indexOf("(") + 1, end),
      state: fields[0] ?? "X",
      parent: Number(fields[1]),
      started: fields[19] ?? "",
    };
  } catch {
    return undefined;
  }
}

/** @returns {Process} this process */
export function self() {
  return /** @type {Process} */ (look(process.pid));
}

/** @param {Process} child */
export function parentOf(child) {
  return look(child.parent);
}

/** @param {Process} known */
export function isAlive(known) {
  const now = look(known.pid);
  return now !== undefined && now.started === known.started && !/[ZX]/.test(now.state);
}
