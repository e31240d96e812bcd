// The moments of an `up` at which it is killed here. Each is seen and held, never slept for.

import { readdirSync, readlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Running } from "../rig/command.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { everyProcess, killAll, type Living, signal, withDescendants } from "../rig/processes.ts";
import { STACK } from "./estate.ts";

/** Asks at short intervals, for what lasts a fraction of a second. */
export async function soon<T>(
  what: string,
  ask: () => T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Starts `up`, without the preview that it would begin with. */
export function startUp(host: Host, ...args: string[]): Running {
  return host.spawnRepoman(["up", "--yes", "--skip-preview", ...args], {
    env: { PULUMI_STACK: STACK },
  });
}

/** The processes that run the resources' handlers. */
export function providersOf(run: Running): Living[] {
  return run.processes().filter(({ argv }) => argv.some((word) => word.includes("providers/host")));
}

/**
 * `kill -9` of repoman, Pulumi, the language host and the program, all at once. The provider has
 * a process group of its own and is left to notice.
 * @returns what is left: the provider, and what it has started
 */
export async function killButProvider(run: Running): Promise<Living[]> {
  const spared = () => {
    const all = run.processes();
    const roots = providersOf(run).map(({ pid }) => pid);
    return { all, left: withDescendants(roots, all) };
  };
  await killAll(() => {
    const { all, left } = spared();
    const pids = new Set(left.map(({ pid }) => pid));
    return all.filter(({ pid }) => !pids.has(pid));
  });
  return spared().left;
}

/** An unpacking of an image that stands still. */
export interface HeldUnpack {
  /** Lets it go on. */
  go(): void;
  /** Ends it, as a machine does that goes down. */
  kill(): void;
}

/** Waits until the daemon unpacks an image for this instance, and stops it there. */
export async function holdUnpack(daemon: Daemon, instance: string): Promise<HeldUnpack> {
  const place = new RegExp(`/containers/repoman_${instance}(/|$)`);
  const { pid } = await soon(`the unpacking for ${instance}`, () =>
    everyProcess().find(
      ({ parent, name, argv }) =>
        parent === daemon.pid && name === "tar" && argv.some((word) => place.test(word)),
    ),
  );
  signal(pid, "SIGSTOP");
  return { go: () => signal(pid, "SIGCONT"), kill: () => signal(pid, "SIGKILL") };
}

/** Gives a repository a file that rsync reads for a minute and that takes no space; its path. */
export function fill(host: Host, repo: string): string {
  const file = host.write(join(host.reposRoot, repo, "large"), "");
  truncateSync(file, 64 * 2 ** 30);
  return file;
}

/** Waits until rsync is at this file. */
export function holdingOpen(run: Running, file: string): Promise<Living> {
  return soon(`rsync to read ${file}`, () =>
    run.processes().find(({ pid, name }) => name === "rsync" && openFiles(pid).includes(file)),
  );
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}
