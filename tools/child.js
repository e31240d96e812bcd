import { spawn } from "node:child_process";
import { constants } from "node:os";
import { isAtLeast, OLDEST_NODE } from "./versions.js";

/**
 * Runs a command that has the terminal, to its end. Ctrl-C reaches it too and it decides what to
 * do; other signals are passed on.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<number>} its exit code, 128 + the signal's number where one ended it
 */
export async function follow(file, args, options = {}) {
  const child = spawn(file, args, { ...options, stdio: "inherit" });
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    if (signal !== "SIGINT") child.kill(signal);
  };
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) =>
        resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]),
      );
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

/**
 * Whether this process runs under a Node that everything else can run under too; npm starts what
 * it is told to with the machine's own, which may be older.
 */
export function isNewNode() {
  return isAtLeast(process.versions.node, OLDEST_NODE);
}
