import { existsSync, realpathSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { paths } from "../../host/paths.js";
import { layout, readStamp } from "../../tools/toolchain.js";

const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The folders that a command needs to see, wherever they are.
 *
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 */
export function alwaysKept([program = ""], env) {
  const wanted = [PROJECT, join(PROJECT, "node_modules"), paths(env).cacheDir, layout(env).folder];
  const found = readStamp(env, PROJECT);
  for (const binary of [process.execPath, program, found?.node, found?.pulumi]) {
    if (!binary?.startsWith("/") || !existsSync(binary)) continue;
    const folder = dirname(realpathSync(binary));
    // What it was called by, and what comes with it.
    wanted.push(dirname(binary), folder.endsWith("/bin") ? dirname(folder) : folder);
  }
  wanted.push(...(env.REPOMAN_TEST_KEEP ?? "").split(":").filter((path) => path !== ""));
  return [...new Set(wanted.filter((path) => existsSync(path)).map((path) => realpathSync(path)))];
}

/**
 * The environment of a fresh root login, with what is not about the user's own things.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function insideEnv(env) {
  const own =
    /^(INCUS|PULUMI|XDG|GIT|SUDO|SSH|DBUS|REPOMAN)_|^(LOCAL_REPOS|NFS_REPOS|TMPDIR|OLDPWD|NODE_COMPILE_CACHE)$/;
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name))),
    PATH: `${env.PATH ?? ""}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: "/root",
    USER: "root",
    LOGNAME: "root",
    REPOMAN_RIG: "/run/rig",
    REPOMAN_RIG_CACHE: real(paths(env).cacheDir),
    REPOMAN_RIG_TOOLCHAIN: real(layout(env).folder),
  };
}

/** @param {string} path a link on the way to it may be out of sight inside */
function real(path) {
  return existsSync(path) ? realpathSync(path) : path;
}

/**
 * Memory as a file system takes mapped ids from Linux 6.3 on and attributes of users from 6.6;
 * before, there has to be a disk image in it.
 *
 * @param {NodeJS.ProcessEnv} env `REPOMAN_TEST_DISK=1` asks for it anyway
 */
export function needsDisk(env) {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return Boolean(env.REPOMAN_TEST_DISK) || major < 6 || (major === 6 && minor < 6);
}
