// What Pulumi's SDK does for those who develop it, left out: it takes a third of the time that this
// program needs for a large estate.

import log from "@pulumi/pulumi/log/index.js";

/**
 * Ends the SDK's own debug messages, each of which waits for the engine's answer to the one before
 * (four for every resource, thrown away unless `--debug` is given), and the translation of stack
 * traces, one for every promise, by the source maps of the SDK. This program runs as it is written.
 *
 * With `PULUMI_DEBUG_PROMISE_LEAKS`, Pulumi's own variable, both stay.
 */
export function leaveOut(env: NodeJS.ProcessEnv = process.env): void {
  if (env.PULUMI_DEBUG_PROMISE_LEAKS) return;
  Object.assign(log, { debug: () => Promise.resolve() });
  Reflect.deleteProperty(Error, "prepareStackTrace");
}
