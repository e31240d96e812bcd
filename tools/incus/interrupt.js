import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/** How long cleaning up may hold up an end that somebody has asked for. */
const GRACE_MS = 15_000;

/**
 * Does work that leaves something behind when it is cut off. Told to end by a signal, this process
 * cleans up first; killed outright, it cannot, and the next run does.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {() => Promise<unknown>} cleanUp may find any part of the work done; also called when the
 *   work has ended, however it did
 * @returns {Promise<T>}
 */
export async function withCleanUp(work, cleanUp) {
  /** @type {Promise<never> | undefined} */
  let ending;
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    ending ??= Promise.race([cleanUp().catch(() => {}), sleep(GRACE_MS)]).then(() =>
      process.exit(128 + constants.signals[signal]),
    );
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work();
  } finally {
    // Work that fails because it is being cut off has nothing to say.
    await ending;
    try {
      await cleanUp();
    } finally {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    }
  }
}
