import { readFileSync } from "node:fs";
import type { Running } from "../rig/command.ts";

/** @returns milliseconds */
export async function clock(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Says on stderr what is going on. */
export function say(what: string): void {
  process.stderr.write(`${what}\n`);
}

/** What repoman does, and what it is held against, measured in turns. */
export interface Comparison {
  what: string;
  against: string;
  /** Milliseconds, one a round. */
  repoman: number[];
  other: number[];
}

/** One part of a measurement. */
export interface Measured {
  comparisons: Comparison[];
  /** Most memory that processes of repoman's took, in bytes, by what they are. */
  memory: Map<string, number>;
}

/**
 * The median of the rounds' own ratios: on a machine that is busy with other things, what is
 * measured close together compares best.
 */
export function ratio({ repoman, other }: Comparison): number {
  return median(repoman.map((value, round) => value / (other[round] ?? Number.NaN)));
}

/** The processes of a preview, by what is in their command lines. */
const ROLES: [role: string, mark: RegExp][] = [
  ["command line", /\/cli\/main\.ts/],
  ["engine", /^\S*pulumi .*preview/],
  ["language host", /language-host/],
  ["program", /cmd\/run/],
  ["provider host", /dynamic-provider|providers\/host/],
];

/**
 * How much memory each process of a running command takes at most.
 *
 * @returns bytes by role
 */
export async function peakMemory(running: Running): Promise<Map<string, number>> {
  const peaks = new Map<string, number>();
  const look = () => {
    for (const { pid, argv } of running.processes()) {
      const role = ROLES.find(([, mark]) => mark.test(argv.join(" ")))?.[0];
      if (role) peaks.set(role, Math.max(peaks.get(role) ?? 0, highWater(pid)));
    }
  };
  const timer = setInterval(look, 50);
  try {
    await running.done;
  } finally {
    clearInterval(timer);
  }
  return peaks;
}

export function highWater(pid: number): number {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(kilobytes?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
