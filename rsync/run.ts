import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { CHDIR_FAILED, pinned, plainEnvironment } from "../host/child.ts";
import { isLocal, readMounts } from "../host/mountinfo.ts";
import type { RepositoryLock } from "./lock.ts";
import { newOutcome, type RunOutcome, readMessage } from "./outcome.ts";
import { type Item, Lines, parseItem, parseProgress, readStat } from "./output.ts";
import { watchForStall } from "./stall.ts";

export interface RunOptions {
  /** The folder to stand in: on the backup disk, named by its marker's id. */
  folder: string;
  /**
   * Kept by rsync's processes, so that it lasts as long as any of them; one that is not held is
   * taken by them first.
   */
  lock?: RepositoryLock | undefined;
  /** What is left out, NUL-terminated, as `rulesOf` gives it. */
  rules?: Buffer | undefined;
  stallAfter: number;
  signal?: AbortSignal | undefined;
  /** Called with the process group's id. */
  onStart?: ((group: number) => void) | undefined;
  onItem?: ((item: Item) => void) | undefined;
  onProgress?: ((progress: { bytes: number; rate: number }) => void) | undefined;
}

/** rsync tells its progress for every file; more often than this nobody can read it. */
const PROGRESS_MS = 100;
/** How long rsync may take to clean up after SIGTERM, and then the kernel after SIGKILL. */
const GRACE_MS = 3_000;
/** As the exit code of a shell, or of `env`, for a program that is not there. */
const NOT_FOUND = 127;

/**
 * Runs rsync in a process group of its own, streaming its output. Rules go in by its standard input.
 *
 * @param args rsync's arguments; paths in them are absolute or begin with a dot, so that none is
 *   taken for an option or for another host
 * @throws {NotLocked} the lock was to be taken, and could not be: rsync was not started
 */
export function runRsync(args: readonly string[], options: RunOptions): Promise<RunOutcome> {
  return new Promise((resolve, reject) => {
    const outcome = newOutcome();
    if (options.signal?.aborted) {
      resolve({ ...outcome, aborted: true });
      return;
    }
    const { folder, lock } = options;
    const rules = options.rules?.length ? options.rules : undefined;
    const own = ["rsync", ...(rules ? ["--from0", "--exclude-from=-"] : []), ...args] as const;
    const takes = lock !== undefined && !lock.held;
    const argv = takes ? lock.taking(own) : own;
    const here = isLocal(readMounts(), folder);
    const [program, ...rest] = here ? argv : pinned(folder, argv);
    const child = spawn(program, rest, {
      stdio: [rules ? "pipe" : "ignore", "pipe", "pipe", lock?.fd ?? "ignore"],
      // Starting waits for the change of folder: only one that cannot hang is changed into this way.
      cwd: here ? folder : "/",
      env: plainEnvironment(),
      detached: true,
    });
    let told = 0;
    let latest: { bytes: number; rate: number } | undefined;
    const stdout = new Lines((line) => {
      const item = parseItem(line);
      if (item) return options.onItem?.(item);
      const progress = parseProgress(line);
      if (!progress) return void readStat(line, outcome.counts);
      latest = progress;
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      options.onProgress?.(progress);
    });
    const stderr = new Lines((line) => readMessage(line, outcome));
    child.stdout?.on("data", (chunk: Buffer) => {
      stall.seen();
      stdout.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    // One that ends before it has read it all says why by its exit.
    child.stdin?.on("error", () => undefined).end(rules);

    let ending: NodeJS.Timeout | undefined;
    const end = () => {
      if (ending) return;
      signalGroup(child, "SIGTERM");
      ending = setTimeout(() => {
        signalGroup(child, "SIGKILL");
        ending = setTimeout(() => {
          outcome.stuck = true;
          child.stdout?.destroy();
          child.stderr?.destroy();
          child.unref();
          finish();
        }, GRACE_MS);
      }, GRACE_MS);
    };
    const abort = () => {
      outcome.aborted = true;
      end();
    };
    const stall = watchForStall(child.pid ?? 0, options.stallAfter, () => {
      outcome.stalled = true;
      end();
    });
    options.signal?.addEventListener("abort", abort, { once: true });
    if (child.pid !== undefined) options.onStart?.(child.pid);
    groups.add(child);
    if (groups.size === 1) process.on("exit", endAll);
    let over = false;
    const finish = () => {
      over = true;
      clearTimeout(ending);
      stall.stop();
      options.signal?.removeEventListener("abort", abort);
      groups.delete(child);
      if (groups.size === 0) process.off("exit", endAll);
      stdout.end();
      stderr.end();
      if (latest) options.onProgress?.(latest);
      try {
        if (takes) lock.taken(outcome.code, outcome.failures);
        resolve(outcome);
      } catch (error) {
        reject(error);
      }
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      outcome.lastError = `rsync cannot be started: ${error.message}`;
      // The error names the program for either.
      outcome.noFolder = here && !canEnter(folder);
      if (error.code === "ENOENT" && !outcome.noFolder) outcome.code = NOT_FOUND;
      finish();
    });
    child.on("close", (code) => {
      if (over) return;
      outcome.code = code;
      outcome.noFolder = code === CHDIR_FAILED;
      finish();
    });
  });
}

function canEnter(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What runs now. It is told to end when this process exits without having waited for it. */
const groups = new Set<ChildProcess>();

function endAll(): void {
  for (const child of groups) signalGroup(child, "SIGTERM");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}
