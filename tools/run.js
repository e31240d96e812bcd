import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { constants } from "node:os";
import { dirname } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { which } from "./which.js";

/** What a child may print before only its end is kept. */
const TAIL_BYTES = 16_384;

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();

/** @type {readonly NodeJS.Signals[]} */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * When this process is told to end, so is every child, and then it ends as it was told to. What
 * was half done has a temporary name and is done again by the next set-up.
 *
 * @param {NodeJS.Signals} signal
 */
function onSignal(signal) {
  for (const child of children) child.kill(signal === "SIGINT" ? "SIGTERM" : signal);
  process.exit(128 + constants.signals[signal]);
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} timeoutMs after which the command is killed
 * @property {string} [log] a file that gets all that it prints
 * @property {(line: string) => void} [onLine] each line that it prints
 * @property {boolean} [leashed] whether it ends with this process even when that is killed; what it
 *   starts itself does not
 *
 * @typedef {object} Outcome
 * @property {number | null} code null where a signal ended it, or it could not be started
 * @property {string} stdout the end of what it printed there, at most 16 kB
 * @property {string} output the end of all that it printed
 * @property {boolean} timedOut
 */

/**
 * Runs a command without a terminal to ask at, and collects what it prints.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} options
 * @returns {Promise<Outcome>} rejects where the program is not there
 */
export function run(file, args, { cwd, env, timeoutMs, log, onLine, leashed }) {
  if (children.size === 0) for (const name of SIGNALS) process.on(name, onSignal);
  const leash = leashed ? which("setpriv", process.env.PATH) : undefined;
  const argv = leash ? ["--pdeathsig", "KILL", "--", file, ...args] : args;
  const child = spawn(leash ?? file, argv, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  if (log) mkdirSync(dirname(log), { recursive: true });
  const file_ = log ? createWriteStream(log) : undefined;
  // A log that cannot be written (a full disk) is no reason to fail: the command will, if it is.
  file_?.on("error", () => {});
  let stdout = "";
  let output = "";
  let rest = "";
  /** @param {string} text */
  const take = (text) => {
    output = (output + text).slice(-TAIL_BYTES);
    file_?.write(text);
    const lines = (rest + text).split(/[\r\n]+/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine?.(line);
  };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout = (stdout + text).slice(-TAIL_BYTES);
    take(text);
  });
  child.stderr.setEncoding("utf8").on("data", take);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, output, timedOut }));
  }).finally(() => {
    clearTimeout(timer);
    file_?.end();
    children.delete(child);
    if (children.size === 0) for (const name of SIGNALS) process.off(name, onSignal);
  });
}

/**
 * The same for a command that has to succeed.
 *
 * @param {string} what for the message, as in "npm could not install the dependencies"
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions & { remedy?: string, causeFirst?: boolean }} options `causeFirst` for a program
 *   that says what is wrong first and explains itself at length
 * @returns {Promise<Outcome>}
 * @throws {Fault} exit code 3, with the end (or beginning) of what was printed
 */
export async function must(what, file, args, { remedy, causeFirst, ...options }) {
  let outcome;
  try {
    outcome = await run(file, args, options);
  } catch (error) {
    throw new Fault(`${what}: ${file} could not be started (${message(error)})`, {
      remedy,
      exitCode: EXIT.environment,
      cause: error,
    });
  }
  if (outcome.code === 0) return outcome;
  const { timedOut, output, code } = outcome;
  const how = timedOut
    ? `took longer than ${options.timeoutMs / 60_000} minutes`
    : `exit code ${code}`;
  const lines = output.trim().split("\n");
  const said = (causeFirst ? lines.slice(0, 8) : lines.slice(-12)).join("\n");
  throw new Fault(`${what}: ${file} ${args.slice(0, 2).join(" ")}: ${how}`, {
    remedy: [said, hint(output) ?? remedy, options.log && `All that it said: ${options.log}`]
      .filter(Boolean)
      .join("\n"),
    exitCode: EXIT.environment,
  });
}

/**
 * What usually lies behind a failure.
 *
 * @param {string} output
 */
function hint(output) {
  if (/no space left on device|ENOSPC/i.test(output)) {
    return "The disk is full: make room, or set XDG_CACHE_HOME to a folder on another one.";
  }
  if (
    /ENOTFOUND|EAI_AGAIN|no such host|Temporary failure resolving|could not resolve/i.test(output)
  ) {
    return "A host name could not be resolved: see that there is a network, then run it again.";
  }
  if (/certificate|SELF_SIGNED|UNABLE_TO_GET_ISSUER/i.test(output)) {
    return "A certificate was not accepted: behind a proxy that inspects TLS set NODE_EXTRA_CA_CERTS and SSL_CERT_FILE.";
  }
  if (/ECONNREFUSED|ETIMEDOUT|ECONNRESET|i\/o timeout|connection refused/i.test(output)) {
    return "A server could not be reached: see that there is a network, then run it again.";
  }
  return undefined;
}

/** @param {unknown} error */
export function message(error) {
  return error instanceof Error ? error.message : String(error);
}
