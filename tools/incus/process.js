import { spawn } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env] the program's whole environment; this process's unless given
 * @property {string} [cwd]
 * @property {number} [timeoutMs] after which the program is killed; without limit unless given
 * @property {string} [input] for its standard input, which is empty otherwise
 * @property {number} [stdout] a file descriptor to write to instead of keeping the output
 * @property {number} [stderr] the same for errors
 * @property {AbortSignal} [signal] ends the program and all that it has started
 * @property {(line: string) => void} [onLine] called with each line of output and of errors
 *
 * @typedef {object} Finished
 * @property {number} code the exit code; 127 when there is no such program, 124 after a timeout,
 *   128 when a signal ended it
 * @property {string} stdout
 * @property {string} stderr
 */

/**
 * Runs a program to its end. A failure is a result, not an exception.
 *
 * @param {string[]} argv
 * @param {RunOptions} [options]
 * @returns {Promise<Finished>}
 */
export function run(
  argv,
  { env = process.env, cwd, timeoutMs, input, stdout, stderr, signal, onLine } = {},
) {
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env,
      ...(cwd === undefined ? {} : { cwd }),
      stdio: [input === undefined ? "ignore" : "pipe", stdout ?? "pipe", stderr ?? "pipe"],
      // A group of its own can be ended as a whole.
      detached: signal !== undefined,
    });
    const output = { stdout: "", stderr: "" };
    for (const name of /** @type {const} */ (["stdout", "stderr"])) {
      let rest = "";
      child[name]?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        output[name] += text;
        const lines = (rest + text).split(/[\r\n]+/);
        rest = lines.pop() ?? "";
        if (onLine) for (const line of lines) onLine(line);
      });
    }
    let timedOut = false;
    const timer = timeoutMs
      ? setTimeout(() => {
          timedOut = true;
          child.kill("SIGKILL");
        }, timeoutMs)
      : undefined;
    const abort = () => endGroup(child.pid);
    signal?.addEventListener("abort", abort);
    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve({ code: timedOut ? 124 : code, ...output });
    };
    child.on("error", (error) => {
      output.stderr ||= error.message;
      finish(127);
    });
    child.on("close", (code) => finish(code ?? 128));
    if (input !== undefined) {
      // A program that does not read its input is judged by its exit code, not by a broken pipe.
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    }
  });
}

/**
 * As Ctrl-C would, since that is what scripts are prepared for; then by force.
 * @param {number | undefined} pid the group's first process
 */
function endGroup(pid) {
  if (pid === undefined) return;
  const send = (/** @type {NodeJS.Signals} */ name) => {
    try {
      process.kill(-pid, name);
    } catch {
      // All gone.
    }
  };
  send("SIGINT");
  setTimeout(send, 3000, "SIGKILL").unref();
}

/**
 * Where a program is, or undefined.
 *
 * @param {string} program a name to look for in PATH, or an absolute path
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export function which(program, env = process.env) {
  // A user's PATH often lacks the administrator's programs.
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  const candidates = program.startsWith("/") ? [program] : folders.map((dir) => join(dir, program));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/**
 * The last lines of what a program said, for an error message.
 *
 * @param {Finished} finished
 * @param {number} [count]
 */
export function lastWords({ stdout, stderr, code }, count = 3) {
  const lines = (stderr.trim() || stdout.trim()).split(/[\r\n]+/).filter((line) => line.trim());
  return lines.slice(-count).join("\n") || `exit code ${code}`;
}

export const isRoot = () => process.getuid?.() === 0;

/**
 * A process that cannot be mistaken for a later one with the same number.
 * @typedef {{ pid: number, started: string }} Identity started in clock ticks since boot
 */

/**
 * @param {number} pid
 * @returns {Identity | undefined} undefined when there is none, or only its exit code is left of it
 */
export function identify(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name before these fields may hold anything, even parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return /[ZX]/.test(fields[0] ?? "X") ? undefined : { pid, started: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** @param {Identity | undefined} known */
export function isAlive(known) {
  return known !== undefined && identify(known.pid)?.started === known.started;
}

/** Whether somebody is there to type a password. */
const hasTerminal = () => Boolean(process.stdin.isTTY && process.stderr.isTTY);

/**
 * Runs a program as root: directly, or through sudo. Without a terminal sudo may not ask for a
 * password, and never waits for one.
 *
 * @param {string[]} argv
 * @param {string} purpose what it is for, such as `installing Incus`; for prompt and error
 * @param {RunOptions} [options] `env` goes to the program itself, past sudo's own clean-up
 * @returns {Promise<Finished>}
 * @throws {Fault} (exit 3) when this user may not become root, with the command to run by hand
 */
export async function asRoot(argv, purpose, { env, ...options } = {}) {
  if (isRoot()) return run(argv, env ? { ...options, env: { ...process.env, ...env } } : options);
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  const command = variables.length ? ["env", ...variables, ...argv] : argv;
  const byHand = `run it by hand, then start again: sudo ${command.map(quoted).join(" ")}`;
  if (!which("sudo")) {
    throw new Fault(`${purpose} needs root, and there is no sudo on this machine`, {
      remedy: byHand.replace(": sudo ", ", as root: "),
      exitCode: EXIT.environment,
    });
  }
  if ((await run(["sudo", "-n", "true"])).code === 0)
    return run(["sudo", "-n", ...command], options);
  if (!hasTerminal()) {
    throw new Fault(
      `${purpose} needs root, and sudo would ask ${userInfo().username} for a password`,
      {
        remedy: `start again in a terminal, or ${byHand}`,
        exitCode: EXIT.environment,
      },
    );
  }
  // sudo asks on the terminal itself, whatever its standard streams are.
  return run(["sudo", "-p", `${purpose} needs root. Password of %p: `, ...command], options);
}

/** @param {string} word for reading and pasting only, never to run */
const quoted = (word) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/**
 * Starts a daemon as root that outlives this process: a session of its own, no terminal, output to
 * a file.
 *
 * @param {string[]} argv
 * @param {string} purpose as for `asRoot`
 * @param {{ env?: NodeJS.ProcessEnv, log?: string }} [options] `env` is the daemon's whole
 *   environment; `log` is appended to
 * @throws {Fault} as `asRoot`, and (exit 3) when there is no such program
 */
export async function startDetached(
  argv,
  purpose,
  { env = { PATH: SYSTEM_PATH }, log = "/dev/null" } = {},
) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const handle = await open(log, "a");
  try {
    // A pipe would keep this process waiting for as long as the daemon lives.
    const { code } = await asRoot(
      ["setsid", "--fork", "env", "-i", "-C", "/", ...variables, ...argv],
      purpose,
      { stdout: handle.fd, stderr: handle.fd },
    );
    if (code === 0) return;
    throw new Fault(`${purpose} failed: ${argv[0]} could not be started (exit code ${code})`, {
      remedy: log === "/dev/null" ? undefined : `look into ${log}`,
      exitCode: EXIT.environment,
    });
  } finally {
    await handle.close();
  }
}

/** What distributions give to services. */
export const SYSTEM_PATH =
  "/usr/libexec/incus:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
