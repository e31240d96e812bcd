import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { readMounts, topmostMount } from "../host/mountinfo.ts";

/** More runs than this at once take turns at one disk or file server instead of using it better. */
const MOST = 8;
/** A disk that has to move its heads is slower with each run more. */
const MOST_ON_ROTATING = 2;

/**
 * How many mirror runs there are at once: rsync computes, so as many as there are processors, and
 * it waits for disks, so at least two, but no more than the disk bears. Waits for no disk.
 *
 * @param backupRoot a link on the way to it makes it one of which nothing is known
 * @param options for tests
 */
export function runsAtOnce(
  backupRoot: string,
  { mounts = readMounts(), sys = "/sys", processors = availableParallelism() } = {},
): number {
  const device = topmostMount(mounts, backupRoot)?.device;
  const most =
    device !== undefined && isRotating(join(sys, "dev/block", device)) ? MOST_ON_ROTATING : MOST;
  return Math.min(most, Math.max(2, processors));
}

/** A partition does not say it itself, but the disk that it is on. */
function isRotating(device: string): boolean {
  for (const queue of [`${device}/queue`, `${device}/../queue`]) {
    try {
      return readFileSync(`${queue}/rotational`, "utf8").trim() === "1";
    } catch {
      // Not there: it is looked for at the next.
    }
  }
  return false;
}

const byDisk = new Map<string, Turns>();

/** The turns at one disk, for all who come in this process. */
export function turnsAt(backupRoot: string): Turns {
  const turns = byDisk.get(backupRoot) ?? new Turns(runsAtOnce(backupRoot));
  byDisk.set(backupRoot, turns);
  return turns;
}

/** Lets so many of those who come work at once, the others in the order in which they came. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  /** @param onWait called where it is not one's turn yet */
  async take<T>(work: () => Promise<T>, onWait?: () => void): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else {
      onWait?.();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // A turn is handed on, so that nobody slips in between.
      if (next) next();
      else this.#free += 1;
    }
  }
}
