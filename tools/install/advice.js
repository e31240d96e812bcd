import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { paths } from "../../host/paths.js";
import { which, whichAll } from "../which.js";

/**
 * What is left to do before shells find what was installed.
 *
 * @param {import("./places.js").Places} places
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]} lines
 */
export function advice({ link, zsh }, env) {
  const lines = [];
  const bin = dirname(link);
  const [first] = whichAll("repoman", env.PATH);
  if (!(env.PATH ?? "").split(delimiter).includes(bin)) {
    lines.push(`${bin} is not in PATH. In ~/.profile: export PATH=${quote(bin)}:"$PATH"`);
  } else if (first !== undefined && first !== link) {
    lines.push(`${first} comes before it in PATH, and is what "repoman" starts.`);
  }
  const folder = dirname(zsh);
  if (which("zsh", env.PATH) && !zshLooksIn(folder, env)) {
    lines.push(
      `zsh does not look for completions in ${folder}. In ~/.zshrc, before compinit: fpath=(${quote(folder)} $fpath)`,
    );
  }
  return lines;
}

/** @param {string} word */
function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** @param {string} folder @param {NodeJS.ProcessEnv} env */
function zshLooksIn(folder, env) {
  const { stdout } = spawnSync("zsh", ["-c", "print -rl -- $fpath"], {
    env,
    encoding: "utf8",
    timeout: 5_000,
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (stdout?.split("\n").includes(folder)) return true;
  // Not run, since it may do anything; a line for this folder, however it is written, is enough.
  try {
    const file = join(env.ZDOTDIR || paths(env).home, ".zshrc");
    return /^[^#\n]*fpath.*zsh\/site-functions/m.test(readFileSync(file, "utf8"));
  } catch {
    return false;
  }
}
