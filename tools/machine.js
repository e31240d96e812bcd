import { mkdir, realpath } from "node:fs/promises";
import { EXIT } from "../host/fault.js";
import { isAlive, parentOf, self } from "../test/rig/watch.js";
import { follow, isNewNode } from "./child.js";
import { Progress } from "./progress.js";
import { askForRoot } from "./root.js";
import { setUp } from "./setup.js";
import { testStep } from "./test-step.js";
import { ROOT } from "./toolchain.js";

/**
 * @typedef {object} Work
 * @property {string} script the calling script, started again where npm's Node is too old
 * @property {string[]} args its own arguments
 * @property {NodeJS.ProcessEnv} env
 * @property {string} purpose what needs root, as the beginning of a sentence
 * @property {(progress: Progress) => Promise<unknown>} [prepare] what has to be fetched before:
 *   there is no network in the machine
 * @property {string[]} [write] folders that the machine may write to, made where they are missing
 * @property {string[]} command the file that the new Node runs in there, and its arguments
 */

/**
 * Sets up what is missing and runs a script in a machine of its own (test/rig).
 *
 * @param {Work} work
 * @returns {Promise<number>} its exit code
 * @throws {Fault} for what cannot be set up
 */
export async function runInMachine({ script, args, env, purpose, prepare, write = [], command }) {
  const { node } = await setUp({ env, steps: [testStep] });
  if (!isNewNode()) {
    endWithNpm();
    return follow(node, [script, ...args], { env });
  }
  const progress = new Progress({ env });
  await prepare?.(progress);
  askForRoot(purpose, progress);
  const { enterNamespace } = await import("../test/rig/enter.js");
  for (const folder of write) await mkdir(folder, { recursive: true });
  // A link on the way to one may be out of sight inside.
  const places = await Promise.all(write.map((folder) => realpath(folder)));
  return enterNamespace([node, ...command], { env, cwd: ROOT, write: places });
}

/**
 * npm does not tell its script when it is killed. The rig looks whether the processes above it
 * live, and sees this one; so this one must not outlive npm.
 */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = parentOf(self());
  const npm = parent && /^(sh|dash|bash)$/.test(parent.name) ? parentOf(parent) : undefined;
  const above = [parent, npm].filter((one) => one !== undefined);
  setInterval(() => {
    if (!above.every(isAlive)) process.exit(EXIT.failed);
  }, 200).unref();
}
