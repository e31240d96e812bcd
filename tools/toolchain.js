import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../host/files.js";
import { paths } from "../host/paths.js";

/** The project's folder, where this copy of the code lies. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Where set-up puts what it gets. Every version has a folder of its own, so that two checkouts
 * which want different ones do not get in each other's way.
 *
 * @param {NodeJS.ProcessEnv} env `REPOMAN_TOOLCHAIN` names another folder than the cache's
 */
export function layout(env) {
  const named = env.REPOMAN_TOOLCHAIN;
  const folder = named?.startsWith("/") ? named : paths(env).toolchainDir;
  return {
    folder,
    /** Held by the one set-up at work. */
    lock: join(folder, "setup.lock"),
    /** What the commands that set-up ran had to say, one file each. */
    logs: join(folder, "logs"),
    /** Sources and caches of a build; removed when nothing more is to be built. */
    build: join(folder, "build"),
    node: (/** @type {string} */ version) => join(folder, `node-${version}`),
    pulumi: (/** @type {string} */ version) => join(folder, `pulumi-${version}`),
    plugin: (/** @type {string} */ name, /** @type {string} */ version) =>
      join(folder, "plugins", `resource-${name}-v${version}`),
    /** One per checkout, and its whole path in the name, since bin/repoman finds it without a process. */
    stamp: (/** @type {string} */ root) => join(folder, "ready", `.${root}`, ".stamp"),
  };
}

/** @typedef {{ node: string, pulumi: string }} Found the executables that set-up settled on */

/**
 * The files whose change means that set-up has to look again. bin/repoman lists the same ones.
 *
 * @param {string} root
 * @param {Found} found
 */
function watchedFiles(root, { node, pulumi }) {
  return [
    join(root, "package.json"),
    join(root, "package-lock.json"),
    join(root, "node_modules/.package-lock.json"),
    join(root, "tools/setup.js"),
    join(root, "tools/node/x64/package-lock.json"),
    join(root, "tools/node/arm64/package-lock.json"),
    node,
    pulumi,
  ];
}

/**
 * Inode, size and time of change: what tells whether files are still the same in one process.
 *
 * @param {string[]} files
 * @returns {string | undefined} undefined where one is missing
 */
function look(files) {
  const { status, stdout } = spawnSync("stat", ["-L", "-c", "%i %s %Y %n", "--", ...files], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trimEnd() : undefined;
}

/**
 * What set-up settled on for a checkout, if it has been run; it may be out of date.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root
 * @returns {(Found & { seen: string }) | undefined}
 */
export function readStamp(env, root) {
  let text;
  try {
    text = readFileSync(layout(env).stamp(root), "utf8");
  } catch {
    return undefined;
  }
  const [node, pulumi, ...seen] = text.trimEnd().split("\n");
  return node && pulumi ? { node, pulumi, seen: seen.join("\n") } : undefined;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root
 * @returns {Found | undefined} undefined where set-up has to look (a few milliseconds)
 */
export function readyToolchain(env, root) {
  const stamp = readStamp(env, root);
  if (!stamp || look(watchedFiles(root, stamp)) !== stamp.seen) return undefined;
  return { node: stamp.node, pulumi: stamp.pulumi };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root
 * @param {Found} found
 */
export async function writeStamp(env, root, found) {
  const seen = look(watchedFiles(root, found));
  if (seen === undefined) throw new Error("set-up ended with a file of its own missing");
  const lines = [found.node, found.pulumi, seen, ""];
  await writeFileAtomic(layout(env).stamp(root), lines.join("\n"), { mode: 0o644 });
}
