// The journal: what repoman did on this host and when, one line of JSON for each command that
// changed something. It names objects and outcomes; values, secrets and file contents never.

import { userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { askAt, foreignMount } from "../host/look.ts";
import { paths } from "../host/paths.js";
import { appendLine } from "./journal-file.ts";
import { warn } from "./output/say.ts";
import { registryFile } from "./preflight.ts";
import { readStackConfig, stackConfigFile } from "./pulumi/stack-config.ts";
import type { Setting } from "./setting.ts";

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
    await write(folder, lineOf(setting, event));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    warn(`the journal in ${folder || "its folder"} could not be written: ${code ?? message}`);
  }
}

const WRITER = fileURLToPath(new URL("journal-writer.ts", import.meta.url));

/** By a child that can be left behind where the folder's file system may not answer. */
async function write(folder: string, line: JournalLine): Promise<void> {
  const mount = foreignMount(folder);
  if (!mount) return appendLine(folder, line);
  const done = await askAt(mount, [process.execPath, WRITER, folder, JSON.stringify(line)]);
  if ("silent" in done) throw new Error(`it ${done.what}`);
  if (done.code !== 0) throw done.startError ?? new Error(done.stderr.split("\n")[0]);
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
    const { readDefaults } = await import("../registry/load.ts");
    const file = registryFile(setting, config);
    return (await readDefaults({ file, env: setting.env })).logdir;
  } catch {
    return fallback;
  }
}
