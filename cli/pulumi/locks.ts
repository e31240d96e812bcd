// Pulumi locks a stack with a file that names process and host, and does not look whether that
// process still lives: after a `kill -9` every later run is refused. Here such a file is judged.
//
// It is taken away only on certainty. A process of another host, or one that merely looks alive,
// keeps its lock: the price of a wrong "alive" is a message, of a wrong "dead" a broken state.

import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";

/** What Pulumi writes into the file. */
export interface LockContent {
  pid: number;
  username: string;
  hostname: string;
  /** RFC 3339 */
  timestamp: string;
}

export type Verdict = { alive: true } | { alive: false; why: string };

export interface Lock {
  file: string;
  content: LockContent;
  verdict: Verdict;
}

/** Judges every lock in a folder of lock files; an absent folder has none. */
export async function judgeLocks(folder: string): Promise<Lock[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const locks = await Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .map(async (name) => {
        const file = join(folder, name);
        const content = await readLock(file);
        return content && { file, content, verdict: await judge(content) };
      }),
  );
  return locks.filter((lock) => lock !== undefined);
}

/** Takes a judged lock away, with the attributes that Pulumi's store keeps beside it. */
export async function removeLock({ file }: Lock): Promise<void> {
  await rm(file, { force: true });
  await rm(`${file}.attrs`, { force: true });
}

/** For messages: who, where and since when. */
export function describeLock({ content }: Lock): string {
  return `${content.username}@${content.hostname} (pid ${content.pid}, since ${content.timestamp})`;
}

/**
 * @param content
 * @param here the name of this host
 */
export async function judge(content: LockContent, here = hostname()): Promise<Verdict> {
  if (content.hostname !== here || !Number.isInteger(content.pid) || content.pid <= 0) {
    return { alive: true };
  }
  const process = await lookUp(content.pid);
  if (!process) return { alive: false, why: "that process has ended" };
  // The number may have been given to another process since. A start after the lock was made is
  // no proof on its own, since a clock that was set forward moves the start that /proc implies;
  // together with a program that is not Pulumi it is.
  if (!process.program.includes("pulumi") && process.startedAt > Date.parse(content.timestamp)) {
    return { alive: false, why: `that process has ended; its number is now ${process.program}'s` };
  }
  return { alive: true };
}

interface ProcessFacts {
  program: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
}

/** @returns undefined where no such process is at work (a zombie is not) */
async function lookUp(pid: number): Promise<ProcessFacts | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and is another user's.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  try {
    const [stat, system] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/stat", "utf8"),
    ]);
    // The second field is the program's name in brackets and may hold spaces and brackets.
    const close = stat.lastIndexOf(")");
    const [state, ...rest] = stat.slice(close + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    const boot = Number(/^btime (\d+)$/m.exec(system)?.[1]);
    // Field 22, in ticks of a hundredth of a second whatever the kernel's own rate (USER_HZ).
    const startedAt = (boot + Number(rest[18]) / 100) * 1000;
    // The program by its file, where that may be seen: a name is what a process calls itself.
    const file = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
    const program = file
      ? basename(file.replace(/ \(deleted\)$/, ""))
      : stat.slice(stat.indexOf("(") + 1, close);
    return { program, startedAt };
  } catch {
    // It ended just now, or /proc hides other users' processes: then it counts as alive.
    return { program: "pulumi", startedAt: 0 };
  }
}

async function readLock(file: string): Promise<LockContent | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as LockContent;
  } catch (error) {
    // Released meanwhile, or half written by one that is just starting: Pulumi looks again itself.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT")
      return undefined;
    throw error;
  }
}
