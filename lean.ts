// What Pulumi's SDK does for those who develop it, left out: it would take half of the time that this
// program needs for a large estate.

import log from "@pulumi/pulumi/log/index.js";

/** Enough of a stack trace to say where an error was made. */
const FRAMES = 2;

/**
 * Ends the SDK's own debug messages, each of which waits for the engine's answer to the one before
 * (four for every resource, thrown away unless `--debug` is given). Keeps the stack traces short
 * that it takes of every promise, and leaves them untranslated by the source maps of the SDK: this
 * program runs as it is written.
 *
 * With `PULUMI_DEBUG_PROMISE_LEAKS`, Pulumi's own variable, all stays as it is.
 */
export function leaveOut(env: NodeJS.ProcessEnv = process.env): void {
  if (env.PULUMI_DEBUG_PROMISE_LEAKS) return;
  Object.assign(log, { debug: () => Promise.resolve() });
  Reflect.deleteProperty(Error, "prepareStackTrace");
  Error.stackTraceLimit = FRAMES;
}
