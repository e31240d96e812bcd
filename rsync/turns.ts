import { availableParallelism } from "node:os";

/** More runs than this at once take turns at one disk or file server instead of using it better. */
const MOST = 8;

/**
 * How many mirror runs there are at once: rsync computes, so as many as there are processors, and
 * it waits for disks, so at least two.
 */
export const RUNS_AT_ONCE = Math.min(MOST, Math.max(2, availableParallelism()));

/** Lets so many of those who come work at once, the others in the order in which they came. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free = RUNS_AT_ONCE) {
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
