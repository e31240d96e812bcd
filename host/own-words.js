// Commands in what repoman says, as they work where they are read. Texts are written with the plain
// `repoman up web` and `incus delete web`; here, where they leave the process, each gets what it
// takes to reach the same estate from the user's shell: repoman's path where PATH does not have
// it, `--stack` where another stack would be meant, and the server where the incus client would
// talk to another one.

import { commandLine } from "./command-line.js";
import { incusVariables, ownCommand, reach } from "./reach.js";

/** @typedef {import("./reach.js").Reach} Reach */

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
  const server = incusVariables(env, found).map((each) => `${each} `);
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
