import { type About, named, OperationFailed, TimedOut } from "./errors.ts";
import { followProgress } from "./events.ts";
import { fromOperation, fromResponse } from "./mapping.ts";
import { apiPath, type Reply, type Request, type Transport } from "./transport.ts";
import type { Operation } from "./types.ts";

/** Longest that an operation may take unless its call says otherwise; milliseconds. */
export const OPERATION_TIMEOUT = 120_000;
/** One long poll; a server that vanished without a word is noticed this much later at most. Seconds. */
const POLL = 30;
/** How long before progress is asked for, so that what is quick costs nothing more; seconds. */
const QUIET = 2;

export interface WaitOptions {
  about?: About;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the server's own words, such as `rootfs: 42% (3.10MB/s)` */
  onProgress?: ((text: string) => void) | undefined;
}

/**
 * Sends a request that begins an operation, and waits for its end. When that is given up, for time
 * or by the signal, the operation is cancelled where the server can.
 * @returns the finished operation; undefined when the server did it at once
 * @throws the mapped error of the request or of the operation; TimedOut; Unreachable
 */
export async function run(
  transport: Transport,
  request: Request,
  options: Omit<WaitOptions, "about"> = {},
): Promise<Operation | undefined> {
  const reply = await transport.request({ ...request, signal: options.signal });
  if (reply.type !== "async") return undefined;
  const operation = reply.metadata as Operation;
  try {
    return await wait(transport, operation, { ...options, about: request.about });
  } catch (error) {
    if (error instanceof TimedOut || options.signal?.aborted) await cancel(transport, operation.id);
    throw error;
  }
}

/**
 * Waits for an operation to end, by long poll. It goes on when the wait is given up.
 * @throws the mapped error when it failed; OperationFailed also when its outcome cannot be known;
 *   TimedOut; Unreachable; the signal's reason
 */
export async function wait(
  transport: Transport,
  operation: Pick<Operation, "id"> & Partial<Operation>,
  options: WaitOptions = {},
): Promise<Operation> {
  const about = options.about ?? { verb: "finish", subject: named("operation", operation.id) };
  const limit = options.timeoutMs ?? OPERATION_TIMEOUT;
  const deadline = Date.now() + limit;
  let progress: { close(): void } | undefined;
  try {
    for (let first = true; ; first = false) {
      const left = Math.max(0, (deadline - Date.now()) / 1000);
      const seconds = Math.ceil(Math.min(left, options.onProgress && first ? QUIET : POLL));
      const done = await poll(transport, operation.id, seconds, about, options.signal);
      if (done) return done;
      if (Date.now() >= deadline) {
        throw new TimedOut(about, `it was not finished after ${limit / 1000} s`, {
          remedy:
            "see whether it still runs (`incus operation list --all-projects`) and run this again",
        });
      }
      if (options.onProgress)
        progress ??= followProgress(transport, operation.id, options.onProgress);
    }
  } finally {
    progress?.close();
  }
}

/** One long poll. Undefined while the operation runs. */
async function poll(
  transport: Transport,
  id: string,
  seconds: number,
  about: About,
  signal: AbortSignal | undefined,
): Promise<Operation | undefined> {
  const reply = await transport.raw({
    method: "GET",
    path: apiPath(["operations", id, "wait"], { timeout: seconds }),
    about,
    timeoutMs: (seconds + 15) * 1000,
    signal,
  });
  if (reply.type !== "error") return judge(reply.metadata as Operation, about);
  if (reply.status === 404) throw lost(about);
  if (reply.status >= 400) throw fromResponse(about, reply);
  // The header says 200 since before the wait began. The error in the body is the operation's, or
  // only says that the wait is over: its state tells.
  const state = await transport.raw({
    method: "GET",
    path: apiPath(["operations", id]),
    about,
    signal,
  });
  if (state.type !== "error") return judge(state.metadata as Operation, about, reply);
  if (reply.error === "context deadline exceeded") throw lost(about);
  throw fromOperation(about, reply.error);
}

function judge(operation: Operation, about: About, reply?: Reply): Operation | undefined {
  if (operation.status_code < 200) return undefined;
  if (operation.status_code === 200) return operation;
  if (operation.status_code === 401)
    throw new OperationFailed(about, "it was cancelled", { status: 401 });
  throw fromOperation(about, operation.err || reply?.error || "");
}

function lost(about: About): OperationFailed {
  return new OperationFailed(
    about,
    "the server no longer knows the operation, so whether it worked is unknown",
    {
      remedy: "the daemon was restarted meanwhile; run this again, which looks at what is there",
    },
  );
}

/** Tells the server to give an operation up; one that cannot be cancelled goes on. */
async function cancel(transport: Transport, id: string): Promise<void> {
  await transport
    .raw({
      method: "DELETE",
      path: apiPath(["operations", id]),
      about: { verb: "cancel", subject: named("operation", id) },
      timeoutMs: 5000,
    })
    .catch(() => {});
}
