// What a run that was killed leaves behind: Pulumi's lock, providers that are still at work (they
// have process groups of their own), and entries in the state for resources whose creation was
// never reported. All of it is put right before the next run, so that nobody edits a state by hand.

import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { writeFileAtomic } from "../../host/files.js";
import { HeldLock, tryLock, waitForLock } from "../../host/lock.js";
import { note } from "../output/say.ts";
import type { Setting } from "../setting.ts";
import { describeLock, judgeLocks, type Lock, removeLock } from "./locks.ts";
import { capturePulumi } from "./run.ts";

/** A provider ends by itself within a second of its engine, unless the server hangs. */
const PROVIDER_MS = 90_000;

/**
 * One run that changes things at a time: until it is released, or this process ends.
 *
 * @throws Fault (conflict) that names the holder
 */
export function lockStack({ stack, stackDir }: Setting, command: string): HeldLock {
  const lock = tryLock(join(stackDir, "lock"), `repoman ${command} (pid ${process.pid})`);
  if (lock instanceof HeldLock) return lock;
  throw new Fault(`the stack "${stack}" is in use: ${lock.holder} is at work on it`, {
    remedy: "Wait until it has ended, then run again. `repoman preview` works meanwhile.",
    exitCode: EXIT.conflict,
  });
}

/**
 * Clears what a killed run has left. Called with the stack locked.
 *
 * @throws Fault (conflict) where a run is alive: a plain `pulumi up`, or one of another host
 */
export async function clearCutOff(setting: Setting, stackId: string): Promise<void> {
  const dead = await requireNoneAlive(setting);
  await waitForProviders(setting, stackId);
  await takeAway(dead);
  if (await wasCutOff(setting)) await clearPendingCreates(setting);
}

/** Marks that a run is under way. The mark stays when nobody is left to take it away. */
export async function markRunning({ stackDir }: Setting, command: string): Promise<void> {
  const mark = { command, pid: process.pid, since: new Date().toISOString() };
  await writeFileAtomic(join(stackDir, "running"), `${JSON.stringify(mark)}\n`);
}

export async function unmarkRunning({ stackDir }: Setting): Promise<void> {
  await rm(join(stackDir, "running"), { force: true });
}

async function waitForProviders({ stack, stackDir }: Setting, stackId: string): Promise<void> {
  // Providers know their stack by its id (providers/engine.ts).
  const file = join(dirname(stackDir), `${stackId}.provider.lock`);
  const lock = await waitForLock(file, `repoman (pid ${process.pid})`, {
    timeoutMs: PROVIDER_MS,
    onWait: (holder) => note(`Waiting for what an earlier run has left at work: ${holder}.`),
  });
  if (!(lock instanceof HeldLock)) {
    throw new Fault(`an earlier run of the stack "${stack}" is still at work: ${lock.holder}`, {
      remedy: "Wait until it has ended, then run again.",
      exitCode: EXIT.conflict,
    });
  }
  // It was only needed to see that nobody has it: the providers of the coming run take it.
  lock.release();
}

/**
 * Clears the locks of the dead for a stack whose state is gone: Pulumi does not make one anew that
 * is locked.
 *
 * @throws Fault (conflict) as `clearCutOff`
 */
export async function clearDeadLocks(setting: Setting): Promise<void> {
  await takeAway(await requireNoneAlive(setting));
}

async function takeAway(dead: { lock: Lock; why: string }[]): Promise<void> {
  for (const { lock, why } of dead) {
    await removeLock(lock);
    note(`Took away the lock of ${describeLock(lock)}: ${why}.`);
  }
}

/** @returns the locks of the dead, and why each of them is taken for dead */
async function requireNoneAlive({ backend, project, stack }: Setting) {
  const locks = backend ? await judgeLocks(backend.locks(project, stack)) : [];
  return locks.map((lock) => {
    if (!lock.verdict.alive) return { lock, why: lock.verdict.why };
    throw new Fault(`the stack "${stack}" is locked by ${describeLock(lock)}`, {
      remedy:
        'Wait until it has ended. If you know that it has: eval "$(repoman env)" && pulumi -C "$REPOMAN_ROOT" cancel',
      exitCode: EXIT.conflict,
    });
  });
}

/**
 * Whether there are creates in the state whose end nobody has recorded. Where the state cannot be
 * looked at cheaply, the mark of a run that did not end says so.
 */
async function wasCutOff({ backend, project, stack, stackDir }: Setting): Promise<boolean> {
  const deployment = await backend?.deployment(project, stack);
  if (deployment) return (deployment.pending_operations ?? []).length > 0;
  return readFile(join(stackDir, "running")).then(
    () => true,
    () => false,
  );
}

/**
 * Pulumi drops such entries in a refresh only. This one is limited to resources that do not exist,
 * which makes it a mere edit of the state, done by Pulumi: it starts no provider and reads
 * nothing. What had been made carries its mark, and the next `up` takes it over.
 */
async function clearPendingCreates(setting: Setting): Promise<void> {
  const { code, stderr } = await capturePulumi(setting, [
    "refresh",
    "--stack",
    setting.stack,
    "--clear-pending-creates",
    "--target",
    "**::no-resource-has-this-type::**",
    "--skip-preview",
    "--yes",
    "--non-interactive",
    "--message",
    "clear what a killed run has left",
  ]);
  if (code !== 0) {
    throw new Fault(
      `Pulumi cannot clear what a killed run has left in the stack "${setting.stack}"`,
      {
        remedy: stderr.replace(/^error: /, "").trim() || `pulumi refresh exited with ${code}`,
        // In a backend whose locks only Pulumi sees.
        exitCode: stderr.includes("currently locked") ? EXIT.conflict : EXIT.failed,
      },
    );
  }
  note("An earlier run was killed; what it had begun is taken up again.");
}
