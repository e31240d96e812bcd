import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EXIT, Fault } from "../host/fault.js";
import { paths } from "../host/paths.js";
import { commandPluginStep } from "./command-plugin.js";
import { dependenciesStep } from "./dependencies.js";
import { chosenNode, nodeStep } from "./node.js";
import { Progress } from "./progress.js";
import { foundPulumi, pulumiStep } from "./pulumi.js";
import { runSteps } from "./step.js";
import { ROOT, readyToolchain, writeStamp } from "./toolchain.js";

/** @typedef {import("./step.js").Step} Step */

/** What `bin/repoman` needs to work at all, in order. */
export const TOOLCHAIN = [nodeStep, dependenciesStep, pulumiStep, commandPluginStep];

/**
 * Gets what is missing. Where nothing is, that takes some milliseconds.
 *
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {string} [options.root] the project's folder
 * @param {Progress} [options.progress]
 * @param {readonly Step[]} [options.steps] what else is wanted, after the toolchain
 * @returns {Promise<import("./toolchain.js").Found>} the executables to use
 * @throws {Fault} that says what to do
 */
export async function setUp({
  env = process.env,
  root = ROOT,
  progress = new Progress({ env }),
  steps = [],
} = {}) {
  const context = { root, env, paths: paths(env), progress };
  let found = readyToolchain(env, root);
  if (!found) {
    await runSteps(TOOLCHAIN, context);
    const pulumi = await foundPulumi(context);
    if (!pulumi) throw new Error("Pulumi was set up and is gone");
    found = { node: chosenNode(context), pulumi };
    await writeStamp(env, root, found);
  }
  await runSteps(steps, context);
  return found;
}

/**
 * Runs a command of set-up's own, and ends the process as a person or a script expects.
 *
 * @param {() => Promise<number | void>} main
 */
export async function asCommand(main) {
  try {
    process.exitCode = (await main()) ?? EXIT.ok;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`repoman: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

/** @param {string} url `import.meta.url` @returns {boolean} whether Node was started with that file */
export function isMain(url) {
  return Boolean(process.argv[1]) && realpathSync(process.argv[1] ?? "") === fileURLToPath(url);
}

// By hand, and for continuous integration: the toolchain alone.
if (isMain(import.meta.url)) await asCommand(async () => void (await setUp()));
