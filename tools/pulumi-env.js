import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { hostStack, paths } from "../host/paths.js";
import { linkCommandPlugin } from "./command-plugin.js";
import { ROOT, readStamp } from "./toolchain.js";
import { which } from "./which.js";

/**
 * @typedef {object} EnvironmentOptions
 * @property {NodeJS.ProcessEnv} [env] what the user has set; it wins over what is chosen here
 * @property {string} [root] the project's folder
 * @property {string} [stack] this host's unless said, or the user's `PULUMI_STACK`
 */

/**
 * What Pulumi needs in order to behave as repoman's documentation says, wherever it is started
 * from: `repoman env` prints it, and commands, `npm start` and tests run Pulumi in it.
 * Reads the toolchain's stamp and changes nothing.
 *
 * @param {EnvironmentOptions} [options]
 * @returns {Record<string, string>} what is to be set; what the user has set is not among it
 */
export function pulumiVariables({ env = process.env, root = ROOT, stack } = {}) {
  const { stateDir, cacheDir } = paths(env);
  /** @type {Record<string, string>} */
  const wanted = { PATH: toolPath(env, root), REPOMAN_ROOT: root };
  wanted.PULUMI_STACK = stack ?? (env.PULUMI_STACK || hostStack());
  // Whoever brings a backend brings its logins, which lie in the home that goes with it.
  if (!env.PULUMI_BACKEND_URL) {
    wanted.PULUMI_BACKEND_URL = `file://${join(stateDir, "pulumi")}`;
    if (!env.PULUMI_HOME) wanted.PULUMI_HOME = join(stateDir, "pulumi-home");
  }
  // An empty passphrase is one.
  if (env.PULUMI_CONFIG_PASSPHRASE === undefined && !env.PULUMI_CONFIG_PASSPHRASE_FILE) {
    wanted.PULUMI_CONFIG_PASSPHRASE_FILE = join(stateDir, "passphrase");
  }
  const defaults = {
    PULUMI_CONTINUE_ON_ERROR: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    NODE_COMPILE_CACHE: join(cacheDir, "compile-cache"),
  };
  for (const [name, value] of Object.entries(defaults)) wanted[name] = env[name] || value;
  return wanted;
}

/**
 * The whole environment: the user's, with `pulumiVariables` over it.
 *
 * @param {EnvironmentOptions} [options]
 * @returns {NodeJS.ProcessEnv}
 */
export function pulumiEnvironment(options = {}) {
  return { ...(options.env ?? process.env), ...pulumiVariables(options) };
}

/**
 * Makes what that environment points at and Pulumi does not make itself: the folder of the state,
 * the passphrase and, in Pulumi's home, the plugin. Idempotent; a few file system calls when all
 * is there.
 *
 * @param {NodeJS.ProcessEnv} environment from `pulumiEnvironment`
 */
export function preparePulumi(environment) {
  const { stateDir } = paths(environment);
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const backend = join(stateDir, "pulumi");
    if (environment.PULUMI_BACKEND_URL === `file://${backend}`) {
      mkdirSync(backend, { recursive: true, mode: 0o700 });
    }
    const passphrase = join(stateDir, "passphrase");
    if (
      environment.PULUMI_CONFIG_PASSPHRASE === undefined &&
      environment.PULUMI_CONFIG_PASSPHRASE_FILE === passphrase
    ) {
      makePassphrase(passphrase);
    }
    linkCommandPlugin(environment, environment.REPOMAN_ROOT ?? ROOT);
  } catch (error) {
    const { code, path } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code) throw error;
    throw new Fault(`Pulumi's files below ${stateDir} could not be made: ${code} at ${path}`, {
      remedy: "Make that folder writable and see that its disk has room, or set XDG_STATE_HOME.",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}

/**
 * Without it the state cannot be read any more, so one that is there is never replaced.
 *
 * @param {string} file
 */
function makePassphrase(file) {
  try {
    if (statSync(file).size > 0) return;
    // Cut off by a full disk before anything was encrypted with it.
    rmSync(file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ENOENT") throw error;
  }
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    writeFileSync(temporary, `${randomBytes(32).toString("base64url")}\n`, {
      mode: 0o600,
      flag: "wx",
      flush: true,
    });
    // Unlike a rename this fails where another process was quicker.
    linkSync(temporary, file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * The user's PATH, with the toolchain first where it would not be found otherwise.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root
 */
function toolPath(env, root) {
  const stamp = readStamp(env, root);
  let path = env.PATH ?? "";
  for (const [name, file] of [
    ["node", stamp?.node],
    ["pulumi", stamp?.pulumi],
  ]) {
    if (!name || !file || which(name, path) === file) continue;
    path = path ? `${dirname(file)}${delimiter}${path}` : dirname(file);
  }
  return path;
}
