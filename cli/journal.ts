// The journal: what repoman did on this host and when, one line of JSON for each command that
// changed something. It names objects and outcomes; values, secrets and file contents never.

import { mkdir, open, rename, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { HeldLock, tryLock } from "../host/lock.js";
import { paths } from "../host/paths.js";
import { warn } from "./output/say.ts";
import { registryFile } from "./preflight.ts";
import { readStackConfig, stackConfigFile } from "./pulumi/stack-config.ts";
import type { Setting } from "./setting.ts";

export const JOURNAL = "repoman.jsonl";

/** A journal of this size makes way for a new one. */
const FULL_BYTES = 5_000_000;
/** So many full ones are kept: `repoman.jsonl.1` is the youngest. */
export const KEPT = 4;

/** What a command tells of itself. */
export interface Event {
  /** As it is typed: `up`, `backup init`. */
  command: string;
  /** Projects, profiles or whatever else it was about; none for all. */
  names?: readonly string[];
  /** `ok`, `failed`, `stopped`, or a word of the command's own. */
  result: string;
  /** One of `EXIT`. */
  exitCode?: number;
  /** When it began, from `performance.now()`. */
  began?: number;
  /** Counts and places that say more. */
  details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** A line of the journal. */
export interface JournalLine {
  /** ISO 8601, UTC. */
  time: string;
  user: string;
  stack: string;
  command: string;
  names: string[];
  result: string;
  exitCode?: number;
  seconds?: number;
  details?: Record<string, string | number | boolean | string[]>;
  pid: number;
}

/**
 * Writes a line into the journal. What it tells of has happened already, so a journal that cannot
 * be written is a warning, never a failure.
 */
export async function journal(setting: Setting, event: Event): Promise<void> {
  let folder = "";
  try {
    folder = await journalFolder(setting);
    await appendLine(folder, lineOf(setting, event));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    warn(`the journal in ${folder || "its folder"} could not be written: ${code ?? message}`);
  }
}

function lineOf({ stack, env }: Setting, event: Event): JournalLine {
  const { command, names = [], result, exitCode, began, details } = event;
  const seconds = began === undefined ? undefined : (performance.now() - began) / 1000;
  return {
    time: new Date().toISOString(),
    user: env.USER || userInfo().username,
    stack,
    command,
    names: [...names],
    result,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(seconds === undefined ? {} : { seconds: Math.round(seconds * 10) / 10 }),
    ...(details === undefined ? {} : { details: details as JournalLine["details"] & object }),
    pid: process.pid,
  };
}

/** What an exit code is called there. */
export function resultOf(exitCode: number): string {
  return exitCode === 0 ? "ok" : "failed";
}

/**
 * Where the journal lies: `logdir` of the stack's registry, else `log` in the state directory. A
 * registry that is broken or gone (which is when a journal is looked at) still has one or the other.
 */
export async function journalFolder(setting: Setting): Promise<string> {
  const fallback = join(paths(setting.env).stateDir, "log");
  try {
    const config = await readStackConfig(stackConfigFile(setting.root, setting.stack));
    const { readRegistry } = await import("../registry/load.ts");
    const file = registryFile(setting, config);
    return (await readRegistry({ file, env: setting.env })).registry.defaults.logdir;
  } catch {
    return fallback;
  }
}

/** One write to a file opened for appending: lines of several processes do not mix. */
export async function appendLine(
  folder: string,
  line: object,
  fullBytes = FULL_BYTES,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, JOURNAL);
  await rotate(folder, file, fullBytes);
  const handle = await open(file, "a", 0o600);
  try {
    await handle.write(Buffer.from(`${JSON.stringify(line)}\n`));
  } finally {
    await handle.close();
  }
}

/** Whoever has the file open meanwhile writes on into the one that was renamed: nothing is lost. */
async function rotate(folder: string, file: string, fullBytes: number): Promise<void> {
  if (!(await isFull(file, fullBytes))) return;
  const lock = tryLock(join(folder, `.${JOURNAL}.lock`), `pid ${process.pid}`);
  if (!(lock instanceof HeldLock)) return;
  try {
    if (!(await isFull(file, fullBytes))) return;
    for (let number = KEPT - 1; number >= 1; number--) {
      await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(absent);
    }
    await rename(file, `${file}.1`).catch(absent);
  } finally {
    lock.release();
  }
}

async function isFull(file: string, fullBytes: number): Promise<boolean> {
  return stat(file).then(
    ({ size }) => size >= fullBytes,
    () => false,
  );
}

function absent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
