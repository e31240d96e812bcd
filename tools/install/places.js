import { isAbsolute, join, relative, resolve } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { expandHome, paths } from "../../host/paths.js";

/**
 * What `install-cli` and its counterpart are told, as `make install` is: `PREFIX` is where it is to
 * be used, `DESTDIR` goes in front of every place that is written to and appears nowhere else.
 *
 * @typedef {object} Settings
 * @property {string} prefix absolute; `~/.local` unless given
 * @property {string} destdir absolute, or empty
 * @property {boolean} named whether a prefix was given
 */

/**
 * @param {readonly string[]} args `PREFIX=…` and `DESTDIR=…`, which win over the environment's
 * @param {NodeJS.ProcessEnv} env
 * @returns {Settings}
 * @throws {Fault} (usage)
 */
export function settings(args, env) {
  /** @type {Record<string, string | undefined>} */
  const values = { PREFIX: env.PREFIX, DESTDIR: env.DESTDIR };
  for (const word of args) {
    const [, name, value] = /^(PREFIX|DESTDIR)=(.*)$/s.exec(word) ?? [];
    if (!name) {
      throw new Fault(`${JSON.stringify(word)} is neither PREFIX=… nor DESTDIR=…`, {
        remedy: "Such as: npm run install-cli -- PREFIX=/usr/local",
        exitCode: EXIT.usage,
      });
    }
    values[name] = value;
  }
  const { home } = paths(env);
  const prefix = expandHome(values.PREFIX || join(home, ".local"), home);
  if (!isAbsolute(prefix) || hasControl(prefix)) {
    throw new Fault(`PREFIX ${JSON.stringify(prefix)} is not an absolute path`, {
      remedy: "Such as PREFIX=/usr/local, or PREFIX=~/.local.",
      exitCode: EXIT.usage,
    });
  }
  const destdir = values.DESTDIR ? expandHome(values.DESTDIR, home) : "";
  if (hasControl(destdir)) {
    throw new Fault(`DESTDIR ${JSON.stringify(destdir)} has control characters`, {
      remedy: "Such as DESTDIR=/tmp/package.",
      exitCode: EXIT.usage,
    });
  }
  return {
    prefix: resolve(prefix),
    // npm starts scripts in the project's folder, and says where it was itself started.
    destdir: destdir && resolve(env.INIT_CWD || process.cwd(), destdir),
    named: Boolean(values.PREFIX),
  };
}

/** @param {string} text */
function hasControl(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  return /[\u0000-\u001f\u007f]/.test(text);
}

/**
 * What is installed below a prefix.
 *
 * @typedef {object} Places
 * @property {string} link to `bin/repoman`
 * @property {string} man
 * @property {string} bash
 * @property {string} zsh
 * @property {string} fish
 */

/**
 * @param {{ prefix: string, destdir?: string }} settings
 * @returns {Places} where they are written to
 */
export function placesBelow({ prefix, destdir = "" }) {
  const share = join(destdir, prefix, "share");
  return {
    link: join(destdir, prefix, "bin/repoman"),
    man: join(share, "man/man1/repoman.1"),
    bash: join(share, "bash-completion/completions/repoman"),
    zsh: join(share, "zsh/site-functions/_repoman"),
    fish: join(share, "fish/vendor_completions.d/repoman.fish"),
  };
}

/**
 * What the link leads to. A checkout below DESTDIR will be without it where it is used.
 *
 * @param {string} root the project's folder
 * @param {string} destdir
 */
export function programOf(root, destdir) {
  const below = destdir === "" ? ".." : relative(destdir, root);
  const there = below.startsWith("..") ? root : join("/", below);
  return join(there, "bin/repoman");
}
