import type { Copied } from "./copy.ts";
import type { RunOutcome } from "./outcome.ts";
import type { CheckedSpec } from "./spec.ts";
import type { RunRecord } from "./types.ts";

/** How a run ended, in the words of its record. */
export type End = Pick<RunRecord, "result" | "reason" | "remedy">;

export const INTERRUPTED: Required<End> = {
  result: "failed",
  reason: "It was interrupted",
  remedy: "Run it again: repoman sync",
};

/** Whether a run left nothing unfinished, neither on the disk nor of what it had begun to delete. */
export function cameToItsEnd(result: RunRecord["result"] | undefined): boolean {
  return result === "ok" || result === "ok-vanished" || result === "partial";
}

/** Whether the disk had no room for something. */
export function isFull(failures: readonly string[]): boolean {
  return failures.some((line) => /No space left|Disk quota exceeded/.test(line));
}

/** What a whole copy came to. */
export function endOfCopy(spec: CheckedSpec, copied: Copied): End {
  const { outcome } = copied;
  if (!outcome) return { result: "ok" };
  const end = endOf(spec, outcome);
  if (copied.restless && (end.result === "ok" || end.result === "ok-vanished")) {
    return {
      result: "partial",
      reason: "Git's files changed all the time; branches on the copy are those of the last run",
      remedy: `Run it again when git is at rest: repoman sync ${spec.name}`,
    };
  }
  return end;
}

/** What one run of rsync came to (rsync(1), exit values). */
export function endOf(spec: CheckedSpec, outcome: RunOutcome): End {
  const again = `Run it again: repoman sync ${spec.name}`;
  const failed = (reason: string, remedy: string): End => ({ result: "failed", reason, remedy });
  if (outcome.stuck) {
    return failed(
      "rsync hangs and cannot be ended: the disk or the repository does not answer",
      "Check the file server and the mounts; the run ends when they answer again.",
    );
  }
  if (outcome.stalled) {
    return failed(
      `Nothing moved for ${spec.stallAfter / 1000} s: the disk or the repository does not answer`,
      `Check the file server and the mounts. ${again}`,
    );
  }
  if (outcome.aborted) return INTERRUPTED;
  if (outcome.noFolder) {
    return failed(`The backup disk at ${spec.backupRoot} went away`, `Mount it. ${again}`);
  }
  const first = outcome.failures[0];
  // Of several troubles rsync's exit code tells one.
  if (outcome.deletionsStopped && [0, 24, 25].includes(outcome.code ?? -1)) {
    return {
      result: "partial",
      reason: "More files vanished from the repository during the run than may be deleted",
      remedy: `Look at ${spec.source}, then run it again.`,
    };
  }
  switch (outcome.code) {
    case 0:
      return { result: "ok" };
    case 24:
      return {
        result: "ok-vanished",
        reason:
          outcome.vanished === 1
            ? "1 file went away while it was copied"
            : `${outcome.vanished} files went away while they were copied`,
      };
    default:
  }
  if (isFull(outcome.failures)) {
    return failed(
      `The backup disk at ${spec.backupRoot} is full`,
      `Free some space. What the repository no longer has is deleted only when all else is copied; to delete it first: repoman sync ${spec.name} --allow-deletes`,
    );
  }
  if (outcome.failures.some((line) => /Read-only file system/.test(line))) {
    return failed(
      `The backup disk at ${spec.backupRoot} is read-only`,
      `Mount it read-write. ${again}`,
    );
  }
  if (outcome.code === 23) {
    return {
      result: "partial",
      reason: `Some files could not be copied${first ? `: ${first}` : ""}`,
      remedy: "Make them readable, or exclude them.",
    };
  }
  if (outcome.code === 127) {
    return failed("rsync is not installed", "Install it: apt install rsync (3.2 or newer)");
  }
  if (outcome.code === 1 || outcome.code === 2 || outcome.code === 4) {
    return failed(
      `rsync refuses its arguments: ${first ?? outcome.lastError}`,
      "repoman needs rsync 3.2 or newer: rsync --version",
    );
  }
  const why = first ?? outcome.lastError;
  return failed(
    outcome.code === null
      ? "rsync was killed"
      : `rsync ended with code ${outcome.code}${why ? `: ${why}` : ""}`,
    again,
  );
}
