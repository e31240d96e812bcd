// Whether the work of this process is still wanted. Pulumi tells no handler that a run is being
// stopped, and a process whose engine was killed is told nothing at all: see host/main.ts.

import type { Fault } from "../host/fault.js";

const controller = new AbortController();

/** Aborts when the run is to end; whatever takes long (rsync, an image, a clean stop) listens. */
export const stopping: AbortSignal = controller.signal;

export function stop(reason: Fault): void {
  controller.abort(reason);
}

const atWork = new Set<Promise<unknown>>();

/**
 * Does something that changes the host.
 * @throws the reason, without beginning it, where the run is to end
 */
export async function work<T>(run: () => Promise<T>): Promise<T> {
  stopping.throwIfAborted();
  const running = run();
  atWork.add(running);
  try {
    return await running;
  } finally {
    atWork.delete(running);
  }
}

/** Resolves when all that was begun has ended. */
export async function woundDown(): Promise<void> {
  await Promise.allSettled(atWork);
}
