import { join } from "node:path";
import { type End, endOf } from "./end.ts";
import type { No } from "./find-copy.ts";
import type { RepositoryLock } from "./lock.ts";
import type { RunOutcome } from "./outcome.ts";
import { nameBytes } from "./output.ts";
import { KEPT, type RestoreJob, runRestore, sparing, thorough } from "./restore-job.ts";
import type { Restored, RestorePlan } from "./restore-types.ts";

/** Does what was planned, and compares what is there with what should be. */
export async function bringBack(
  job: RestoreJob,
  plan: RestorePlan,
  lock: RepositoryLock,
): Promise<Restored | No> {
  const { spec, from, sub, target, warnings } = job;
  const { signal, onProgress, deleteExtra } = job.options;
  const temporary = await target.begin();
  if (typeof temporary !== "string") return temporary;
  let outcome: RunOutcome;
  let kept: No | undefined;
  try {
    onProgress?.({ phase: "copying", bytes: 0, totalBytes: plan.bytes });
    outcome = await runRestore(
      job,
      [
        `--temp-dir=${join(target.to, temporary)}`,
        ...sparing(temporary),
        "--info=progress2",
        ...thorough(plan.target),
        ...(deleteExtra ? ["--delete-delay"] : []),
      ],
      {
        signal,
        lock,
        onProgress: (progress) =>
          onProgress?.({ phase: "copying", ...progress, totalBytes: plan.bytes }),
      },
    );
  } finally {
    kept = await target.end(temporary, sub === undefined ? from : undefined);
  }
  if (kept) warnings.push(kept.reason);
  const end = endOf(spec, outcome);
  const done = (more: End & { different: string[] }): Restored => ({
    ok: true,
    from,
    to: target.to,
    files: outcome.counts.copied,
    bytes: outcome.counts.copiedBytes,
    deleted: outcome.counts.deleted,
    failures: outcome.failures,
    warnings,
    ...more,
  });
  if (end.result === "failed") return done({ ...forRestore(end, target.to), different: [] });
  if (!kept) await target.forget();
  return done(await verify(job, end, lock));
}

/** Reads both sides again. */
async function verify(
  job: RestoreJob,
  end: End,
  lock: RepositoryLock,
): Promise<End & { different: string[] }> {
  const { signal, onProgress, deleteExtra } = job.options;
  const different: string[] = [];
  let count = 0;
  onProgress?.({ phase: "verifying", bytes: 0 });
  const args = ["--dry-run", "--checksum", ...(deleteExtra ? ["--delete"] : [])];
  const outcome = await runRestore(job, args, {
    signal,
    lock,
    onItem: ({ name }) => {
      if (isOnTheWay(job, name)) return;
      count += 1;
      if (different.length < KEPT) different.push(name);
    },
  });
  const verified = endOf(job.spec, outcome);
  if (verified.result === "failed") {
    return {
      result: "failed",
      reason: `It was restored, but could not be verified: ${verified.reason}`,
      remedy: "Run it again with --force: only what differs is copied.",
      different,
    };
  }
  if (count === 0) return { ...forRestore(end, job.target.to), different };
  return {
    result: "partial",
    reason:
      end.reason ?? `${count === 1 ? "1 entry is" : `${count} entries are`} not as on the copy`,
    remedy: "Look at what is named; something may have written there meanwhile.",
    different,
  };
}

/** A folder above the one path that was asked for: its time is that of this restore. */
function isOnTheWay({ sub }: RestoreJob, printed: string): boolean {
  const name = nameBytes(printed);
  return (
    sub !== undefined &&
    printed.endsWith("/") &&
    Buffer.from(sub).subarray(0, name.length).equals(name)
  );
}

/** The words of a mirror run's end, where it was a restore's. */
function forRestore({ result, reason }: End, to: string): End {
  if (result === "ok") return { result };
  const full = reason?.includes(" is full") || reason?.includes("is read-only");
  return {
    result,
    ...(reason !== undefined && {
      reason: full ? `There is no room at ${to}, or it is read-only` : reason,
    }),
    remedy: "Run it again with the same folder: it goes on where it broke off.",
  };
}
