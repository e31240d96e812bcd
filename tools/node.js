import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { npmCi } from "./npm.js";
import { must } from "./run.js";
import { layout } from "./toolchain.js";
import { isAtLeast, OLDEST_NODE } from "./versions.js";

/** @typedef {import("./step.js").Context} Context */
/** @typedef {{ version: string, execPath: string, arch: string }} Running the Node that runs this */

/**
 * The Node for everything but set-up: the one at work where it is new enough, else one from npm's
 * registry, where Node comes as a package (so a network that reaches registries only is enough).
 *
 * @param {Pick<Context, "root" | "env">} context
 * @param {Running} [running]
 * @returns {string} the executable, there or not yet
 */
export function chosenNode({ root, env }, running = self()) {
  if (isAtLeast(running.version, OLDEST_NODE)) return running.execPath;
  const { name, version } = pinnedNode(root, running.arch);
  return join(layout(env).node(version), "node_modules", name, "bin/node");
}

/** @returns {Running} */
function self() {
  return { version: process.versions.node, execPath: process.execPath, arch: process.arch };
}

/**
 * @param {string} root
 * @param {string} arch as in `process.arch`
 */
function pinnedNode(root, arch) {
  const folder = join(root, "tools/node", arch);
  if (!existsSync(folder)) {
    throw new Fault(
      `Node ${process.versions.node} is too old, and there is no newer one for ${arch}`,
      {
        remedy: `Install Node.js ${OLDEST_NODE} or newer and see that it comes first in PATH.`,
        exitCode: EXIT.environment,
      },
    );
  }
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const [[name, version] = ["", ""]] = Object.entries(dependencies);
  return { folder, name, version: String(version) };
}

/** @type {import("./step.js").Step} */
export const nodeStep = {
  name: "Node.js",
  ready: (context) => existsSync(chosenNode(context)),
  async run(context) {
    const { name, version, folder } = pinnedNode(context.root, process.arch);
    const { node, logs } = layout(context.env);
    context.progress.step(`getting version ${version}`);
    const target = node(version);
    const temporary = `${target}.${process.pid}.tmp`;
    try {
      await mkdir(temporary, { recursive: true });
      for (const file of ["package.json", "package-lock.json"]) {
        await cp(join(folder, file), join(temporary, file));
      }
      const log = join(logs, "node.log");
      await npmCi(`Node.js ${version} could not be installed`, context, { cwd: temporary, log });
      const made = join(temporary, "node_modules", name, "bin/node");
      await must(`Node.js ${version} does not run on this machine`, made, ["--version"], {
        env: context.env,
        timeoutMs: 30_000,
        remedy: `Install Node.js ${OLDEST_NODE} or newer and see that it comes first in PATH.`,
      });
      await rm(target, { recursive: true, force: true });
      await rename(temporary, target);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  },
};
