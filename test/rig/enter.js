import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { constants, homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT, Fault } from "../../host/fault.js";
import { createCgroups, hierarchies } from "./cgroups.js";
import { closeRun, openRun, recordCgroups, sweep } from "./leftovers.js";
import { alwaysKept, insideEnv, needsDisk } from "./request.js";
import { isAlive, parentOf, self } from "./watch.js";

/**
 * Runs commands in a machine within the machine, which ends whole with its first process: every
 * other process in it (Incus daemons, containers, orphaned providers), every mount, bridge and
 * loop device. Inside one is root; `/home`, `/root`, `/tmp`, `/run`, `/var/tmp` and `/etc` are
 * private and thrown away, all else is read-only; there is no network but what is made there.
 *
 * For `npm test`:      process.exitCode = await enterNamespace([node, vitest, "run"], { env });
 * By hand:             node test/rig/enter.js [--keep DIR]... [--write DIR]... -- <command>...
 *
 * It wants root, or a sudo that does not ask. What cannot be met is a `Fault` with exit code 3.
 */

const HERE = dirname(fileURLToPath(import.meta.url));

/**
 * @typedef {object} Options
 * @property {NodeJS.ProcessEnv} [env] of the command; what points at the user's own Incus, Pulumi
 *   or folders is taken out of it
 * @property {string} [cwd]
 * @property {string[]} [keep] folders that stay visible at their place, read-only, though a private
 *   one would cover them. The project, its node_modules, repoman's cache, the folder of the
 *   command's program and what `REPOMAN_TEST_KEEP` lists (colons between) always do.
 * @property {string[]} [write] the same, writable
 */

/**
 * @param {string[]} argv the program and its arguments
 * @param {Options} [options]
 * @returns {Promise<number>} the command's exit code, 128 + the signal's number where one ended it
 */
export async function enterNamespace(argv, options = {}) {
  const { env = process.env, cwd = process.cwd(), keep = [], write = [] } = options;
  const request = { argv, cwd, env, write, keep: [...keep, ...alwaysKept(argv, env)] };
  if (process.getuid?.() === 0) return enterAsRoot(request, watched());
  if (spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status !== 0) {
    throw new Fault("The tests start Incus daemons of their own, and only root can do that", {
      remedy:
        "Run `npm test` as root, or allow this user `sudo` without a password, or run `sudo -v` first.",
      exitCode: EXIT.environment,
    });
  }
  // Not in argv, which everybody can read, and sudo may refuse to pass an environment on.
  const folder = mkdtempSync(join(tmpdir(), "repoman-test-"));
  const file = join(folder, "request.json");
  writeFileSync(file, JSON.stringify(request), { mode: 0o600 });
  try {
    const me = fileURLToPath(import.meta.url);
    const watchlist = JSON.stringify(watched().concat(self()));
    const child = spawn("sudo", ["-n", "--", process.execPath, me, "--request", file, watchlist], {
      stdio: "inherit",
    });
    return await ended(child, (signal) => child.kill(signal));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @typedef {{ argv: string[], cwd: string, env: NodeJS.ProcessEnv, keep: string[], write: string[] }} Request
 *
 * @param {Request} request
 * @param {import("./watch.js").Process[]} watchlist when one of these ends, so does everything
 */
async function enterAsRoot(request, watchlist) {
  needNamespaces();
  warn(await sweep());
  const run = openRun();
  try {
    const plan = join(run.folder, "plan.json");
    const cgroups = hierarchies(run.name);
    recordCgroups(
      run,
      cgroups.map(({ own }) => own),
    );
    const { roots, leaves } = createCgroups(cgroups);
    const mountPoint = join(run.folder, "root");
    mkdirSync(mountPoint);
    const { keep, write } = request;
    const masks = ["/root", "/home", homedir(), request.env.HOME ?? "/root"];
    writeFileSync(
      plan,
      JSON.stringify({
        mountPoint,
        hierarchies: cgroups,
        masks,
        keep,
        write,
        disk: needsDisk(request.env),
      }),
    );
    const join_ = join(HERE, "join.sh");
    const child = spawn(
      "setpriv",
      // Should this process be killed, the next one goes, and so on down to the namespace's first.
      ["--pdeathsig", "KILL", "sh", join_, ...roots, "--"]
        .concat(["unshare", "--cgroup", "sh", join_, ...leaves, "--"])
        .concat([
          "unshare",
          "--mount",
          "--pid",
          "--net",
          "--ipc",
          "--uts",
          "--fork",
          "--kill-child",
        ])
        .concat(["--propagation", "private", "sh", join(HERE, "init.sh"), plan, request.cwd])
        .concat([process.execPath, join(HERE, "inside.js"), ...request.argv]),
      { stdio: ["inherit", "inherit", "inherit", run.lock.fd], env: insideEnv(request.env) },
    );
    const timer = setInterval(() => {
      if (!watchlist.every(isAlive)) child.kill("SIGKILL");
    }, 200);
    try {
      return await ended(child, () => child.kill("SIGKILL"));
    } finally {
      clearInterval(timer);
    }
  } finally {
    warn(await closeRun(run));
  }
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {(signal: "SIGINT" | "SIGTERM" | "SIGHUP") => void} stop
 * @returns {Promise<number>}
 */
function ended(child, stop) {
  /** @type {NodeJS.Timeout | undefined} */
  let patience;
  let asked = 0;
  /** @param {"SIGINT" | "SIGTERM" | "SIGHUP"} signal */
  const onSignal = (signal) => {
    asked = constants.signals[signal];
    // Ctrl-C reaches the whole process group: the command may end by itself and say how far it got.
    if (signal === "SIGINT" && !patience) patience = setTimeout(() => stop(signal), 5000);
    else stop(signal);
  };
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, onSignal);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      for (const name of signals) process.off(name, onSignal);
      clearTimeout(patience);
      resolve(asked ? 128 + asked : (code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
    });
  });
}

/** npm does not tell its script when it is killed, so it and all between are watched. */
function watched() {
  if (!process.env.npm_lifecycle_event) return [];
  /** @type {import("./watch.js").Process[]} */
  const chain = [];
  for (let next = parentOf(self()); next && chain.length < 6; next = parentOf(next)) {
    chain.push(next);
    if (next.name.startsWith("npm")) return chain;
  }
  // Not by its name: the next one at least.
  return chain.slice(0, 1);
}

function needNamespaces() {
  const flags = ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork"];
  const { status, stderr, error } = spawnSync("unshare", [...flags, "true"], { encoding: "utf8" });
  if (status === 0) return;
  throw new Fault(`No namespace for the tests: ${(stderr || error?.message || "").trim()}`, {
    remedy: "In a container, run it privileged; `unshare` comes with util-linux.",
    exitCode: EXIT.environment,
  });
}

/** @param {string[]} left */
function warn(left) {
  for (const path of left) process.stderr.write(`warning: could not remove the cgroup ${path}\n`);
}

/** @param {string[]} args */
async function main(args) {
  if (args[0] === "--request") {
    const [, file = "", watchlist = "[]"] = args;
    const request = JSON.parse(readFileSync(file, "utf8"));
    // It holds the user's environment, and whoever wrote it may be killed.
    rmSync(dirname(file), { recursive: true });
    const parent = parentOf(self());
    return enterAsRoot(request, JSON.parse(watchlist).concat(parent ?? []));
  }
  /** @type {{ keep: string[], write: string[] }} */
  const options = { keep: [], write: [] };
  const rest = [...args];
  for (let option = rest.shift(); option !== "--"; option = rest.shift()) {
    const folder = rest.shift();
    if (!folder || (option !== "--keep" && option !== "--write")) return usage();
    options[option === "--keep" ? "keep" : "write"].push(realpathSync(folder));
  }
  return rest.length === 0 ? usage() : enterNamespace(rest, options);
}

function usage() {
  process.stderr.write(
    "usage: node test/rig/enter.js [--keep DIR]... [--write DIR]... -- COMMAND...\n",
  );
  return EXIT.usage;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
