import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The oldest Node that runs TypeScript as it is and prints no warning about it. */
export const OLDEST_NODE = "22.18.0";

/** The oldest Pulumi whose engine this program was tried with. */
export const OLDEST_PULUMI = "3.254.0";

/**
 * @param {string} version such as `v3.258.0`, `24.21.0`, `go1.26.8` or `3.259.0-alpha.1`
 * @returns {[number, number, number] | undefined} undefined where there is none to be seen
 */
export function parseVersion(version) {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/**
 * @param {string} version
 * @param {string} oldest
 * @returns {boolean} false also for what is no version; a pre-release counts as its release
 */
export function isAtLeast(version, oldest) {
  const have = parseVersion(version);
  const want = parseVersion(oldest);
  if (!have || !want) return false;
  for (const [index, part] of want.entries()) {
    const mine = have[index] ?? 0;
    if (mine !== part) return mine > part;
  }
  return true;
}

/**
 * The version of a package that `package.json` pins, which is the one place that says it.
 *
 * @param {string} root the project's folder
 * @param {string} name
 */
export function pinned(root, name) {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const version = dependencies?.[name];
  if (!/^\d+\.\d+\.\d+$/.test(version ?? "")) {
    throw new Error(`package.json must pin ${name} to one version, and says ${version}`);
  }
  return /** @type {string} */ (version);
}
