// Commands in what repoman says, as they work where they are read. Texts are written with the plain
// `repoman up web` and `incus delete web`; here, where they leave the process, each gets what it
// takes to reach the same estate from the user's shell: repoman's path where PATH does not have
// it, `--stack` where another stack would be meant, and the server where the incus client would
// talk to another one.

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

/** Commands that take `--stack`, with their subcommands; the others only begin with repoman's path. */
export const STACKED = Object.freeze({
  adopt: [],
  backup: ["init", "verify", "log"],
  config: ["path", "edit", "validate", "migrate"],
  demo: ["summary"],
  destroy: [],
  disable: [],
  enable: [],
  env: [],
  list: [],
  log: [],
  logs: [],
  migrate: [],
  new: [],
  preview: [],
  profile: ["list", "show", "diff", "install", "remove", "edit", "new"],
  refresh: [],
  remove: [],
  rename: [],
  repair: [],
  restart: [],
  restore: [],
  setup: [],
  shell: [],
  start: [],
  status: [],
  stop: [],
  sync: [],
  trust: [],
  uninstall: [],
  up: [],
  update: [],
});
export const UNSTACKED = Object.freeze(["completion", "daemon", "help"]);

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
  const said = Object.entries(more).filter(([, value]) => value !== undefined);
  known = { ...known, ...Object.fromEntries(said) };
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
 * @param {NodeJS.ProcessEnv} env
 * @param {Reach} [more]
 * @returns {Reach}
 */
function reach(env, more = {}) {
  const said = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
  try {
    return { ...JSON.parse(env[VARIABLE] || "{}"), ...known, ...said };
  } catch {
    return { ...known, ...said };
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
 * @returns {string[]} assignments
 */
function incusVariables(env, found) {
  const wanted = found.remote || "local";
  const chosen = env.INCUS_REMOTE || defaultRemote(env);
  const server = wanted === chosen ? [] : [`INCUS_REMOTE=${wanted}`];
  if (wanted !== "local") return server;
  const own = join(paths(env).stateDir, "incus");
  const folder = found.incusDir ?? (env.INCUS_DIR === own ? own : undefined);
  return folder === undefined ? server : [...server, `INCUS_DIR=${folder}`];
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
  return [...incusVariables(env, reach(env)).map(assignment), commandLine(["incus", ...args])].join(
    " ",
  );
}

/** @param {string} text `NAME=value` */
function assignment(text) {
  const [name = "", ...value] = text.split("=");
  return `${name}=${commandLine([value.join("=")])}`;
}

/**
 * Where a command of ours stands in a sentence: behind a colon or a bracket, in backticks, or behind
 * one of a few words. A path or a name that has such words in it is not taken for one.
 */
const AMIDST = String.raw`[\x60("]|\$\(|[:;] |[=…] |\b(?:or|and|then|run) `;

/** @param {string} before what may be in front of a command */
const patterns = (before) => ({
  own: new RegExp(
    `(${before})repoman (--help|[a-z]+)(?: ([a-z]+))?(?![\\w/-]|\\.\\w|\\s\\(pid )`,
    "gm",
  ),
  incus: new RegExp(
    `(?<!there|as )(${before})incus ` +
      "(?=(?:cluster|config(?! trust| get core)|copy|delete|exec|image|info|list|monitor|network|" +
      "operation|profile|project|rename|resume|start|stop|storage) )",
    "gm",
  ),
});
const IN_PROSE = patterns(AMIDST);
const ANYWHERE = patterns(String.raw`^[ \t]*(?:→ )?|${AMIDST}`);

/**
 * A text of repoman's own, with each command in it as it works where it is read. Texts from
 * outside (a file's content, another program's output) are not to be handed in.
 *
 * @param {string} text
 * @param {NodeJS.ProcessEnv} [env]
 * @param {Reach} [more] where the caller knows it better
 */
export function inOwnWords(text, env = process.env, more = {}) {
  return rewritten(text, ANYWHERE, env, reach(env, more));
}

/**
 * The same for a text that may have names on lines of their own: what a line begins with is none
 * of ours.
 *
 * @param {string} text
 * @param {NodeJS.ProcessEnv} [env]
 */
export function proseInOwnWords(text, env = process.env) {
  return rewritten(text, IN_PROSE, env, reach(env));
}

/**
 * @param {string} text
 * @param {ReturnType<typeof patterns>} places
 * @param {NodeJS.ProcessEnv} env
 * @param {Reach} found
 */
function rewritten(text, places, env, found) {
  if (!/repoman |incus /.test(text)) return text;
  const { stack, command } = found;
  /** @type {string | undefined} */
  let self = command;
  const own = text.replace(places.own, (whole, before, name, sub, at) => {
    const rest = text.slice(at + whole.length);
    const subs = Object.hasOwn(STACKED, name)
      ? STACKED[/** @type {keyof typeof STACKED} */ (name)]
      : undefined;
    if (subs === undefined && name !== "--help" && !UNSTACKED.includes(name)) return whole;
    // In quotes stands what was typed, or a name; only help is pointed to in them.
    if (before === '"' && !(name === "--help" ? /^"/ : /^ --help"/).test(rest)) return whole;
    self ??= commandLine(ownCommand(env));
    const words = [name, ...(sub === undefined ? [] : [sub])];
    const named = /^[^`)\n]*\s--stack\b/.test(rest);
    if (subs !== undefined && stack !== undefined && !named && before !== '"') {
      const known = subs.length === 0 ? 1 : subs.some((each) => each === sub) ? 2 : 0;
      if (known > 0) words.splice(known, 0, "--stack", stack);
    }
    return `${before}${self} ${words.join(" ")}`;
  });
  if (own.search(places.incus) < 0) return own;
  const server = incusVariables(env, found).map((each) => `${assignment(each)} `);
  return own.replace(places.incus, (_, before) => `${before}${server.join("")}incus `);
}

/**
 * A message of an error in the same way: its first line names objects, and what follows is what to
 * do.
 *
 * @param {string} message
 * @param {NodeJS.ProcessEnv} [env]
 * @param {Reach} [more] where the caller knows it better
 */
export function remedyInOwnWords(message, env = process.env, more = {}) {
  const [what = "", ...remedy] = message.split("\n");
  return [what, ...remedy.map((line) => inOwnWords(line, env, more))].join("\n");
}
