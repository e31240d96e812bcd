import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { type Attempt, attempt, told } from "./attempt.ts";
import { Refused } from "./claim.ts";
import { cameToItsEnd, INTERRUPTED } from "./end.ts";
import { NotLocked, RepositoryLock } from "./lock.ts";
import { noCounts } from "./output.ts";
import { appendHistory, readRecord, recordVersion, writeRecord } from "./record.ts";
import { type CheckedSpec, checkSpec } from "./spec.ts";
import type { BackupSpec, LastGood, MirrorOptions, RunRecord } from "./types.ts";

/**
 * Makes the copy of a repository what the repository is, or refuses on doubt, and records the
 * run. What goes wrong with disk or source is the record's `result`, not an exception.
 *
 * @throws {Fault} conflict: another run of this repository is at work; usage: see `checkSpec`
 */
export async function mirror(given: BackupSpec, options: MirrorOptions = {}): Promise<RunRecord> {
  const spec = checkSpec(given);
  const lock = new RepositoryLock(spec);
  try {
    for (;;) {
      try {
        return await runOnce(spec, lock, options);
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
      }
    }
  } finally {
    lock.release();
  }
}

/** Another run has ended between the reading of its record and the taking of the lock. */
class Overtaken extends Error {}

/**
 * One run, going by what is recorded now.
 *
 * @throws {Overtaken} only as long as the lock was not held before
 */
async function runOnce(
  spec: CheckedSpec,
  lock: RepositoryLock,
  options: MirrorOptions,
): Promise<RunRecord> {
  let settled = lock.held;
  const seen = recordVersion(spec.recordsDir, spec.name);
  const previous = await readRecord(spec.recordsDir, spec.name);
  const settle = () => {
    if (settled) return;
    lock.take();
    if (recordVersion(spec.recordsDir, spec.name) !== seen) throw new Overtaken();
    settled = true;
  };
  const last = lastGoodFor(spec, previous);
  const startedAt = new Date();
  const began = performance.now();
  const recordOf = (done: Attempt): RunRecord =>
    recordFrom(spec, done, { startedAt, seconds: (performance.now() - began) / 1000, last });
  const interrupted: Attempt = {
    result: "failed",
    reason: "The run was cut off in the middle",
    remedy: `Run it again: repoman sync ${spec.name}`,
  };
  let done = interrupted;
  let unforeseen: unknown;
  try {
    done = await attempt(spec, {
      ...options,
      last,
      cutOff: !cameToItsEnd(previous?.result),
      lock,
      settle,
      work: join(spec.recordsDir, ".run", spec.name),
      // Should this process be killed, the record says so.
      onStart: () => keep(spec, recordOf(interrupted), writeRecord),
    });
  } catch (error) {
    if (error instanceof Overtaken || error instanceof NotLocked) throw error;
    const end = endBy(error, options.signal);
    if (end) done = end;
    else unforeseen = error;
  }
  settle();
  const record = recordOf(done);
  await keep(spec, record, writeRecord);
  await keep(spec, record, appendHistory);
  if (unforeseen) throw unforeseen;
  return record;
}

/** What a run came to that an error ended. @returns undefined for one that nobody foresaw */
function endBy(error: unknown, signal: AbortSignal | undefined): Attempt | undefined {
  if (error instanceof Refused) return told(error.refusal);
  if (!(error instanceof Fault)) return undefined;
  if (signal?.aborted) return INTERRUPTED;
  return { result: "failed", reason: error.what, ...(error.remedy && { remedy: error.remedy }) };
}

/** The error that a run's record stands for; undefined when the copy is good. */
export function runFault(record: RunRecord): Fault | undefined {
  if (record.result === "ok" || record.result === "ok-vanished") return undefined;
  return new Fault(`Backup of ${record.name} ${record.result}: ${record.reason ?? "no reason"}`, {
    ...(record.remedy && { remedy: record.remedy }),
    exitCode: record.result === "unreachable" ? EXIT.environment : EXIT.failed,
  });
}

async function keep(
  { recordsDir, name }: CheckedSpec,
  record: RunRecord,
  write: (recordsDir: string, record: RunRecord) => Promise<void>,
): Promise<void> {
  try {
    await write(recordsDir, record);
  } catch (cause) {
    throw new Fault(`The run of ${name} cannot be recorded: ${(cause as Error).message}`, {
      remedy: `Free some space below ${recordsDir}, and make it writable for this user.`,
      exitCode: EXIT.environment,
      cause,
    });
  }
}

/** A last good run of other places says nothing about this copy. */
function lastGoodFor(spec: CheckedSpec, record: RunRecord | undefined): LastGood | undefined {
  if (record?.source !== spec.source || record.destination !== spec.destination) return undefined;
  return record.lastGood;
}

function recordFrom(
  spec: CheckedSpec,
  done: Attempt,
  run: { startedAt: Date; seconds: number; last: LastGood | undefined },
): RunRecord {
  const at = run.startedAt.toISOString();
  const lastGood = done.good ? { at, ...done.good } : run.last;
  return {
    schema: 1,
    name: spec.name,
    source: spec.source,
    destination: spec.destination,
    result: done.result,
    ...(done.reason && { reason: done.reason }),
    ...(done.remedy && { remedy: done.remedy }),
    startedAt: at,
    endedAt: new Date().toISOString(),
    seconds: Math.round(run.seconds * 1000) / 1000,
    counts: done.counts ?? noCounts(),
    failures: done.failures ?? [],
    warnings: done.warnings ?? [],
    ...(done.disk && { disk: done.disk }),
    ...(lastGood && { lastGood }),
  };
}
