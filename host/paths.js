import { existsSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";

/**
 * Where repoman keeps things, after the XDG base directory specification.
 * Plain JavaScript, since the bootstrap in `tools/` reads it under Node 20.
 *
 * @typedef {object} Paths
 * @property {string} home the user's home directory
 * @property {string} configDir `$XDG_CONFIG_HOME/repoman`: registry, profiles.d, repos.d
 * @property {string} stateDir `$XDG_STATE_HOME/repoman`: Pulumi state, passphrase, backup records
 * @property {string} dataDir `$XDG_DATA_HOME/repoman`: the demo estate
 * @property {string} cacheDir `$XDG_CACHE_HOME/repoman`: toolchain, images; may be deleted at any time
 * @property {string} registry the user's registry file
 * @property {string} toolchainDir what set-up installed
 * @property {string} backupRecords one JSON record per repository's last mirror run
 */

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Paths}
 */
export function paths(env = process.env) {
  const home = env.HOME || homedir();
  // The specification: a relative path in these variables is to be ignored.
  const base = (/** @type {string} */ name, /** @type {string} */ fallback) => {
    const value = env[name];
    return join(value?.startsWith("/") ? value : join(home, fallback), "repoman");
  };
  const configDir = base("XDG_CONFIG_HOME", ".config");
  const stateDir = base("XDG_STATE_HOME", ".local/state");
  const cacheDir = base("XDG_CACHE_HOME", ".cache");
  return {
    home,
    configDir,
    stateDir,
    dataDir: base("XDG_DATA_HOME", ".local/share"),
    cacheDir,
    registry: join(configDir, "repoman.toml"),
    toolchainDir: join(cacheDir, "toolchain"),
    backupRecords: join(stateDir, "backups"),
  };
}

/**
 * The stack's name for this host: its host name without the domain, reduced to what Pulumi accepts.
 *
 * @param {string} [name]
 */
export function hostStack(name = hostname()) {
  const short = name.replace(/\..*$/, "").replace(/[^A-Za-z0-9_-]/g, "-");
  return short || "localhost";
}

/**
 * `~` and `~/…` become the home directory, as in a shell; anything else is returned as it is.
 *
 * @param {string} path
 * @param {string} home
 */
export function expandHome(path, home) {
  if (path === "~") return home;
  return path.startsWith("~/") ? join(home, path.slice(2)) : path;
}

/**
 * The incus client's configuration folder: `INCUS_CONF`; else, as the client of version 7 has it,
 * `$XDG_CONFIG_HOME/incus` where that exists; else `~/.config/incus`, which is all that version 6
 * knows.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function incusConfigDir(env) {
  if (env.INCUS_CONF) return env.INCUS_CONF;
  if (env.XDG_CONFIG_HOME?.startsWith("/")) {
    const folder = join(env.XDG_CONFIG_HOME, "incus");
    if (existsSync(folder)) return folder;
  }
  return join(env.HOME || homedir(), ".config", "incus");
}

/**
 * A path as people write it: the home as `~`.
 *
 * @param {string} path
 * @param {string} [home]
 */
export function withTilde(path, home = paths().home) {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
