import { EXIT, Fault } from "../host/fault.js";
import { must } from "./run.js";
import { which } from "./which.js";

/**
 * `npm ci`: exactly what the lock file names, each package against its hash. Run by the Node that
 * npm came with, since Debian's npm finds its own parts only there; nothing is compiled and no
 * script of a package is run, so the Node that will use the packages does not matter.
 *
 * @param {string} what for the message, such as `The dependencies could not be installed`
 * @param {import("./step.js").Context} context
 * @param {{ cwd: string, log: string }} options
 */
export async function npmCi(what, { env }, { cwd, log }) {
  const npm = which("npm", env.PATH);
  if (!npm) {
    throw new Fault(`${what}: there is no npm in PATH`, {
      remedy: "Install it, with Node.js 20 or newer: sudo apt-get install npm",
      exitCode: EXIT.environment,
    });
  }
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
  await must(what, npm, ["ci", "--loglevel=error", ...flags], {
    cwd,
    log,
    leashed: true,
    causeFirst: true,
    // What npm tells its scripts would be taken for settings; being one is no reason to differ.
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !isFromNpm(name))),
    timeoutMs: 30 * 60_000,
  });
}

/** @param {string} name */
function isFromNpm(name) {
  return /^npm_(lifecycle|package|node|execpath|command)|^npm_config_(local_prefix|prefix|noproxy)$|^INIT_CWD$/.test(
    name,
  );
}
