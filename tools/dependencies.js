import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { npmCi } from "./npm.js";
import { layout } from "./toolchain.js";

/**
 * Whether node_modules holds what package-lock.json names. npm writes a lock file of what is
 * there as the last thing of an install, so an interrupted one, an older one, or one that somebody
 * added to by hand is seen; it does not matter who ran it.
 *
 * @param {string} root the project's folder
 */
export function dependenciesReady(root) {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const present = packagesOf(join(root, "node_modules/.package-lock.json"));
  if (!wanted || !present) return false;
  for (const [path, { version, integrity }] of Object.entries(present)) {
    const other = wanted[path];
    if (other?.version !== version || other?.integrity !== integrity) return false;
    if (!existsSync(join(root, path))) return false;
  }
  return Object.entries(wanted).every(
    // Optional ones are for other platforms, or do not matter.
    ([path, entry]) => path === "" || entry.optional || entry.devOptional || present[path],
  );
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} Entry
 * @param {string} file
 * @returns {Record<string, Entry> | undefined}
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** @type {import("./step.js").Step} */
export const dependenciesStep = {
  name: "Dependencies",
  ready: ({ root }) => dependenciesReady(root),
  async run(context) {
    context.progress.step("npm ci");
    await npmCi("The dependencies could not be installed", context, {
      cwd: context.root,
      log: join(layout(context.env).logs, "dependencies.log"),
    });
  },
};
