// `npm start`: sets up what is missing, then brings this host's estate up; without a registry, the
// demo estate. What follows `--` goes to `repoman up`.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostStack, paths } from "../host/paths.js";
import { follow, isNewNode } from "./child.js";
import { incusStep } from "./incus/setup.js";
import { Progress } from "./progress.js";
import { asCommand, isMain, setUp } from "./setup.js";
import { ROOT } from "./toolchain.js";

/** @param {string[]} args @param {NodeJS.ProcessEnv} env */
export async function main(args, env) {
  const { node } = await setUp({ env, steps: [{ ...incusStep, needsRoot: true }] });
  if (!isNewNode()) return follow(node, [fileURLToPath(import.meta.url), ...args], { env });

  const repoman = join(ROOT, "bin/repoman");
  const places = paths(env);
  if (hasRegistry(places.registry, env))
    return follow(repoman, ["up", "--yes", "--summary", ...args], { env });

  const progress = new Progress({ env });
  progress.line(`There is no ${places.registry} yet: this brings up the demo estate.`);
  const { prepareDemo } = await import("../example/prepare.js");
  const { registry, stack } = await progress.during("Demo estate", () =>
    prepareDemo({ paths: places, env, progress }),
  );
  const where = ["--stack", stack, "--registry", registry];
  const code = await follow(repoman, ["up", "--yes", "--no-summary", ...where, ...args], { env });
  if (code !== 0) return code;
  return follow(repoman, ["demo", "summary", "--stack", stack], { env });
}

/**
 * Whether this host has an estate of its own: the usual file, or another one that its stack was
 * told to follow.
 *
 * @param {string} registry
 * @param {NodeJS.ProcessEnv} env `PULUMI_STACK` names the stack
 * @param {string} [root] the project's folder
 */
export function hasRegistry(registry, { PULUMI_STACK }, root = ROOT) {
  if (existsSync(registry)) return true;
  try {
    const config = readFileSync(join(root, `Pulumi.${PULUMI_STACK || hostStack()}.yaml`), "utf8");
    return /^\s+"?repoman:registry"?:/m.test(config);
  } catch {
    return false;
  }
}

if (isMain(import.meta.url)) await asCommand(() => main(process.argv.slice(2), process.env));
