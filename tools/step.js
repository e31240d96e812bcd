import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { HeldLock, waitForLock } from "../host/lock.js";
import { askForRoot } from "./root.js";
import { layout } from "./toolchain.js";

/**
 * What a step works with.
 *
 * @typedef {object} Context
 * @property {string} root the project's folder
 * @property {NodeJS.ProcessEnv} env
 * @property {import("../host/paths.js").Paths} paths
 * @property {import("./progress.js").Progress} progress `step` says what a step is doing,
 *   `line` writes a line that stays
 */

/**
 * One thing that set-up sees to.
 *
 * @typedef {object} Step
 * @property {string} name as a person would call it, such as `Pulumi 3.258.0`
 * @property {(context: Context) => boolean | Promise<boolean>} ready whether there is nothing to
 *   do: quick, and changes nothing
 * @property {boolean} [needsRoot] whether it may want to become root
 * @property {(context: Context) => Promise<void>} run does it, or throws a Fault that says what to
 *   do. May be cut off at any moment and run again: what it makes has a temporary name until it
 *   is whole.
 */

/** As long as a build on a slow machine may take. */
const LOCK_TIMEOUT_MS = 60 * 60 * 1000;

/**
 * Runs what is not ready, in order, and never twice at once for one toolchain.
 *
 * @param {readonly Step[]} steps
 * @param {Context} context
 * @returns {Promise<boolean>} whether anything had to be done
 */
export async function runSteps(steps, context) {
  if ((await firstUnready(steps, context)) === undefined) return false;
  const lock = await takeLock(context);
  try {
    await sweep(context);
    for (;;) {
      const step = await firstUnready(steps, context);
      if (!step) return true;
      if (step.needsRoot) askForRoot(step.name, context.progress);
      await context.progress.during(step.name, () => step.run(context));
      if (!(await step.ready(context))) {
        throw new Fault(`${step.name} was set up and is not ready all the same`, {
          remedy: `Remove ${layout(context.env).folder} and run it again.`,
          exitCode: EXIT.environment,
        });
      }
    }
  } catch (error) {
    throw asFault(error);
  } finally {
    lock.release();
  }
}

/**
 * @param {readonly Step[]} steps
 * @param {Context} context
 */
async function firstUnready(steps, context) {
  for (const step of steps) if (!(await step.ready(context))) return step;
  return undefined;
}

/**
 * Removes what a set-up that was killed had half made; nobody else is making anything now.
 *
 * @param {Context} context
 */
async function sweep({ env }) {
  const { folder } = layout(env);
  for (const place of [folder, join(folder, "plugins")]) {
    const names = await readdir(place).catch(() => []);
    for (const name of names) {
      if (name.endsWith(".tmp")) await rm(join(place, name), { recursive: true, force: true });
    }
  }
}

/** @param {Context} context */
async function takeLock({ env, progress }) {
  const { lock: file, folder } = layout(env);
  let lock;
  try {
    lock = await waitForLock(file, `set-up, pid ${process.pid}`, {
      timeoutMs: LOCK_TIMEOUT_MS,
      onWait: (holder) => progress.line(`Another set-up is at work (${holder}); waiting for it.`),
    });
  } catch (error) {
    throw asFault(error, `Nothing can be written below ${folder}`);
  }
  if (lock instanceof HeldLock) return lock;
  throw new Fault(`Another set-up has been at work for an hour (${lock.holder})`, {
    remedy: "See what it is doing, end it if it hangs, and run this again.",
    exitCode: EXIT.conflict,
  });
}

/**
 * Errors of the file system that a person can mend.
 *
 * @param {unknown} error
 * @param {string} [what]
 */
function asFault(error, what) {
  if (error instanceof Fault || !(error instanceof Error)) return error;
  const { code, path } = /** @type {NodeJS.ErrnoException} */ (error);
  const remedy = {
    ENOSPC: "The disk is full: make room, or set XDG_CACHE_HOME to a folder on another one.",
    EDQUOT: "The quota is used up: make room, or set XDG_CACHE_HOME to a folder on another disk.",
    EACCES: "Make it writable for this user, or set XDG_CACHE_HOME to a folder that is.",
    EPERM: "Make it writable for this user, or set XDG_CACHE_HOME to a folder that is.",
    EROFS: "It is read-only: set XDG_CACHE_HOME to a folder that is not.",
  }[code ?? ""];
  if (!remedy) return error;
  return new Fault(`${what ?? "Set-up could not write"}: ${code}${path ? ` at ${path}` : ""}`, {
    remedy,
    exitCode: EXIT.environment,
    cause: error,
  });
}
