import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { HeldLock, waitForLock } from "../../host/lock.js";

/** The private folder of this run, thrown away with the namespace (see enter.js). */
export function rigFolder(): string {
  const folder = process.env.REPOMAN_RIG;
  if (folder && process.getuid?.() === 0) return folder;
  throw new Fault("This test starts Incus daemons and has to run in a machine of its own", {
    remedy: "Run `npm test`, or `node test/rig/enter.js -- npx vitest run <file>`.",
    exitCode: EXIT.environment,
  });
}

/**
 * Makes a folder that no other process of this run has. Names are short, since the path of a
 * unix socket may not exceed 108 bytes.
 *
 * @param kind a letter or two
 * @returns its path and number, from 1
 */
export function newFolder(kind: string, mode = 0o755): { folder: string; number: number } {
  for (let number = 1; ; number++) {
    const folder = join(rigFolder(), `${kind}${number}`);
    try {
      mkdirSync(folder, { mode });
      return { folder, number };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Runs `work` while no other process of this run does the work of that name. */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(join(rigFolder(), `${name}.lock`), `pid ${process.pid}`, {
    timeoutMs: 120_000,
  });
  if (!(lock instanceof HeldLock)) throw new Error(`${name} is held by ${lock.holder}`);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Asks until the answer is a value; `what` is for the error when it takes too long. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
