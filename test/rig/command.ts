import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "./place.ts";
import {
  everyProcess,
  killAll,
  type Living,
  processesWith,
  signal,
  withDescendants,
} from "./processes.ts";

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** For standard input, which is /dev/null otherwise. */
  input?: string;
  /** Leaves standard input open for `write`. */
  open?: boolean;
  /** All of it is killed then, and the promise rejects with what was printed. Default 120 000. */
  timeoutMs?: number;
}

export interface Finished {
  /** 128 + the signal's number where a signal ended it. */
  exitCode: number;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Both, in the order of their arrival. */
  all: string;
  durationMs: number;
}

/** A command at work. */
export interface Running {
  readonly pid: number;
  /** Resolves when it has ended, however it ended. */
  readonly done: Promise<Finished>;
  /** What it has printed so far, on both. */
  readonly output: string;
  /** To its standard input, which was left `open`. */
  write(text: string): void;
  /** Waits until it has printed this. */
  printed(what: string | RegExp, timeoutMs?: number): Promise<void>;
  /** To the command only: what a killer that knows one pid does. */
  kill(name?: NodeJS.Signals): void;
  /** To its process group: what a terminal does on Ctrl-C (SIGINT) or when it closes (SIGHUP). */
  killGroup(name: NodeJS.Signals): void;
  /** It and all that came from it, orphans and other process groups included. */
  processes(): Living[];
  /** SIGKILL to all of these at once. */
  killAll(): Promise<void>;
}

const TAG = "REPOMAN_RIG_COMMAND";

/** Starts a command in a process group of its own. Arguments are passed as they are. */
export function start(argv: string[], options: CommandOptions = {}): Running {
  const { cwd, env = process.env, input, open = false, timeoutMs = 120_000 } = options;
  const [program = "", ...args] = argv;
  const tag = randomUUID();
  const begun = performance.now();
  const child = spawn(program, args, {
    cwd,
    env: { ...env, [TAG]: tag },
    stdio: [input === undefined && !open ? "ignore" : "pipe", "pipe", "pipe"],
    detached: true,
  });
  const pid = child.pid ?? -1;
  const text = { stdout: "", stderr: "", all: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      text.all += chunk;
    });
  }
  child.stdin?.on("error", () => undefined);
  if (!open) child.stdin?.end(input);

  const processes = () => {
    const among = everyProcess();
    const roots = processesWith(`${TAG}=${tag}`, among).map((found) => found.pid);
    return withDescendants([pid, ...roots], among);
  };
  const all = () => killAll(processes);

  const done = new Promise<Finished>((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      all().catch(reject);
    }, timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    const closed = new Promise((close) => child.once("close", close));
    // Not `close` alone: an orphan that keeps the pipes open is for the test to find.
    child.once("exit", async (code, ended) => {
      clearTimeout(timer);
      await Promise.race([closed, pause(300)]);
      if (late) {
        reject(new Error(`${argv.join(" ")}: not done in ${timeoutMs / 1000} s:\n${text.all}`));
        return;
      }
      const exitCode = code ?? 128 + constants.signals[ended ?? "SIGKILL"];
      resolve({ exitCode, signal: ended, ...text, durationMs: performance.now() - begun });
    });
  });
  // Whoever kills it need not wait for it.
  done.catch(() => undefined);

  return {
    pid,
    done,
    get output() {
      return text.all;
    },
    write: (typed) => void child.stdin?.write(typed),
    async printed(what, limit = 60_000) {
      const found = () =>
        typeof what === "string" ? text.all.includes(what) : what.test(text.all);
      await until(
        `${what} from ${argv.join(" ")}`,
        () => {
          if (found()) return true;
          if (child.exitCode !== null || child.signalCode !== null) {
            throw new Error(`${argv.join(" ")} ended without printing ${what}:\n${text.all}`);
          }
          return false;
        },
        limit,
      );
    },
    kill: (name = "SIGKILL") => signal(pid, name),
    killGroup: (name) => signal(-pid, name),
    processes,
    killAll: all,
  };
}

/** Runs a command to its end; an exit code is no error. */
export function run(argv: string[], options?: CommandOptions): Promise<Finished> {
  return start(argv, options).done;
}
