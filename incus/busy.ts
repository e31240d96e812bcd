import { setTimeout as sleep } from "node:timers/promises";
import { Busy, IncusError, Unreachable } from "./errors.ts";
import { operations } from "./host.ts";
import { run, wait } from "./operations.ts";
import type { Request, Transport } from "./transport.ts";
import type { Operation } from "./types.ts";

export interface CallOptions {
  /** Milliseconds for the operation; two minutes unless said */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Longest that another's operation on an instance is waited out; milliseconds. */
const PATIENCE = 120_000;
/**
 * The same when the server lists no such operation. After a failed start that passes in a second or
 * two; after a clean stop that timed out it does not pass at all.
 */
const PATIENCE_UNLISTED = 8_000;

/**
 * Does something with an instance, and does it again when the server says that the instance is busy:
 * after the operation that holds it has ended, or, when none is listed, after a little while.
 * @throws what `act` throws; Busy when the instance stays busy
 */
export async function whenFree<T>(
  transport: Transport,
  project: string,
  name: string,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const start = Date.now();
  let listed = true;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    const left = start + (listed ? PATIENCE : PATIENCE_UNLISTED) - Date.now();
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Busy) || left < pause) throw error;
    }
    const holder = (await operations(transport, project)).find((operation) =>
      holds(operation, name),
    );
    listed = holder !== undefined;
    // Its outcome is for those who began it.
    if (holder) await ended(wait(transport, holder, { timeoutMs: left, signal }));
    else await sleep(pause, undefined, signal ? { signal } : {}).catch(() => {});
    signal?.throwIfAborted();
  }
}

/** Sends a change of one instance when nothing else holds it, and waits for its end. */
export function changeInstance(
  transport: Transport,
  project: string,
  name: string,
  request: Request,
  options: CallOptions,
): Promise<Operation | undefined> {
  return whenFree(transport, project, name, () => run(transport, request, options), options.signal);
}

function holds(operation: Operation, name: string): boolean {
  // A shell or console in the instance is an operation too, and holds nothing up.
  if (operation.class !== "task" || operation.status_code >= 200) return false;
  return (operation.resources?.instances ?? []).some((path) => {
    const [, instance] = /^\/1\.0\/instances\/([^/?]+)/.exec(path) ?? [];
    return instance !== undefined && decodeURIComponent(instance) === name;
  });
}

async function ended(waiting: Promise<unknown>): Promise<void> {
  try {
    await waiting;
  } catch (error) {
    if (!(error instanceof IncusError) || error instanceof Unreachable) throw error;
  }
}
