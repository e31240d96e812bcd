// How the words that the user types reach what this process works on: which repoman, which stack,
// which server. Found out once, and handed on to Pulumi's program and the providers.

import { readFileSync, realpathSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { commandLine } from "./command-line.js";
import { hostStack, incusConfigDir, paths } from "./paths.js";

/**
 * How the user's words reach what this process works on.
 *
 * @typedef {object} Reach
 * @property {string | undefined} [command] what starts repoman
 * @property {string | undefined} [stack] the one to name; undefined where repoman finds it by itself
 * @property {string | undefined} [remote] the server, as the stack's config names it
 * @property {string | undefined} [incusDir] of repoman's own daemon, where that is in use
 */

/** Handed from the command line to the Pulumi program and the providers. */
const VARIABLE = "REPOMAN_REACH";

/** @type {Reach} */
let known = {};

/**
 * Remembers what was found out; what is undefined stays as it was.
 *
 * @param {Reach} more
 */
export function reachBy(more) {
  known = { ...known, ...said(more) };
}

/** @param {Reach} more @returns {Reach} what of it is not undefined */
function said(more) {
  return Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
}

/**
 * Begins a command line anew.
 *
 * @param {string | undefined} stack what `--stack` said
 * @param {NodeJS.ProcessEnv} [env]
 */
export function reachAnew(stack, env = process.env) {
  known = {};
  reachBy({ stack: stackToName(stack, env) });
}

/**
 * A stack where `--stack` has to name it: without, repoman goes by `PULUMI_STACK`, else by the host.
 *
 * @param {string | undefined} stack
 * @param {NodeJS.ProcessEnv} [env]
 */
export function stackToName(stack, env = process.env) {
  return stack === (env.PULUMI_STACK || hostStack()) ? undefined : stack;
}

/**
 * The variable with which a process that this one starts says the same.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Record<string, string>}
 */
export function reachVariable(env = process.env) {
  return { [VARIABLE]: JSON.stringify({ ...known, command: commandLine(ownCommand(env)) }) };
}

/**
 * All that is known.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {Reach} [more] what the caller knows better
 * @returns {Reach}
 */
export function reach(env, more = {}) {
  try {
    return { ...JSON.parse(env[VARIABLE] || "{}"), ...known, ...said(more) };
  } catch {
    return { ...known, ...said(more) };
  }
}

/**
 * How this `repoman` is started from here: by name where PATH has it, else by its path.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string[]}
 */
export function ownCommand(env = process.env) {
  const root = env.REPOMAN_ROOT || join(import.meta.dirname, "..");
  const file = join(root, "bin", "repoman");
  const own = real(file);
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    if (!folder.startsWith("/")) continue;
    const found = real(join(folder, "repoman"));
    if (found !== undefined) {
      if (found === own) return ["repoman"];
      break;
    }
  }
  const near = relative(process.cwd(), file);
  return [near.startsWith("..") ? file : near];
}

/** @param {string} file */
function real(file) {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

/**
 * The variables with which the incus client talks to the same server; none where it does anyway.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {Reach} found
 * @returns {string[]} assignments, quoted
 */
export function incusVariables(env, found) {
  const wanted = found.remote || "local";
  const chosen = env.INCUS_REMOTE || defaultRemote(env);
  const server = wanted === chosen ? [] : [`INCUS_REMOTE=${commandLine([wanted])}`];
  if (wanted !== "local") return server;
  const own = join(paths(env).stateDir, "incus");
  const folder = found.incusDir ?? (env.INCUS_DIR === own ? own : undefined);
  return folder === undefined ? server : [...server, `INCUS_DIR=${commandLine([folder])}`];
}

/** @param {NodeJS.ProcessEnv} env */
function defaultRemote(env) {
  try {
    const text = readFileSync(join(incusConfigDir(env), "config.yml"), "utf8");
    return /^default-remote:\s*["']?([^"'\s#]+)/m.exec(text)?.[1] ?? "local";
  } catch {
    return "local";
  }
}

/**
 * A command line of the incus client that reaches the server that is meant.
 *
 * @param {readonly string[]} args such as `["delete", "--project", "repoman", "web"]`
 * @param {NodeJS.ProcessEnv} [env]
 */
export function incusCommand(args, env = process.env) {
  return [...incusVariables(env, reach(env)), commandLine(["incus", ...args])].join(" ");
}
