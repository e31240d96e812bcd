import { readdirSync, readFileSync } from "node:fs";
import { look, type Process } from "./watch.js";

/** A living process and the command it was started with. */
export type Living = Process & { argv: string[] };

/** All living processes (the dead that wait to be reaped are left out). */
export function everyProcess(): Living[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => look(Number(name)))
    .filter((found): found is Process => found !== undefined && !/[ZX]/.test(found.state))
    .map((found) => ({ ...found, argv: split(found.pid, "cmdline") }));
}

/**
 * The processes that carry a variable in the environment they were started with: that finds
 * those as well whose parents are gone and who have process groups of their own.
 *
 * @param assignment `NAME=value`
 */
export function processesWith(assignment: string, among = everyProcess()): Living[] {
  return among.filter(({ pid }) => split(pid, "environ").includes(assignment));
}

/** The given processes and all that descend from them. */
export function withDescendants(roots: number[], among = everyProcess()): Living[] {
  const found = new Set(roots);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of among) if (found.has(parent)) found.add(pid);
  }
  return among.filter(({ pid }) => found.has(pid));
}

/**
 * SIGKILL to all that `find` finds, until it finds none: none of them gets to start another
 * in between.
 */
export async function killAll(find: () => Living[]): Promise<void> {
  for (let round = 0; round < 200; round++) {
    const found = find();
    if (found.length === 0) return;
    for (const { pid } of found) signal(pid, "SIGSTOP");
    for (const { pid } of find()) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const left = find().map(({ pid, argv }) => `${pid} ${argv.join(" ")}`);
  if (left.length > 0) throw new Error(`could not end:\n${left.join("\n")}`);
}

/** Sends a signal; a process that is gone is none to complain of. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function split(pid: number, file: "cmdline" | "environ"): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}
