import type { Refusal } from "./judge.ts";
import { wentAway } from "./source.ts";
import type { CheckedSpec } from "./spec.ts";
import type { Counts, LastGood, MountFacts } from "./types.ts";

/** What a comparison of source and copy found. */
export interface Comparison {
  /** rsync's numbers; `files` and `bytes` are the whole source's. */
  counts: Counts;
  /** Entries of the copy that the source no longer has. */
  deletions: number;
  /** Of these, files that are named as rsync names what it has not finished. */
  unfinished: number;
  /** There is no copy: what an earlier run has copied was lost with it. */
  gone: boolean;
  /**
   * Of these, files of git's object stores that were merely packed: the source holds about as
   * many objects as the copy does. They count towards no limit.
   */
  repacked: number;
}

export interface Verdict {
  refused?: Refusal;
  /** What the run itself may delete, for `--max-delete`. */
  maxDelete: number;
}

/**
 * Decides whether a run may go ahead. Pure.
 *
 * The limits are the registry's, taken at their word: over either of them nothing is copied or
 * deleted. A way through, `allowDeletes`, still bounds what the run may delete, since the source
 * can go on to vanish: by the number that somebody was shown and agreed with, else by what the
 * comparison has found and the usual number on top.
 */
export function judgeChanges(
  spec: CheckedSpec,
  { counts, deletions, unfinished, repacked, gone }: Comparison,
  context: {
    last: LastGood | undefined;
    sourceMount: MountFacts;
    allowDeletes: boolean | number;
    noDelete: boolean;
    /** Whether a run has broken off since the last good one. */
    brokeOff: boolean;
  },
): Verdict {
  // A first copy that was killed leaves the one file at which it was.
  const left = context.brokeOff ? Math.min(unfinished, 1) : 0;
  const judged = deletions - repacked - left;
  const onCopy = counts.files - counts.created + deletions;
  const share = Math.floor((onCopy * spec.maxDeletePercent) / 100);
  const limit = Math.min(spec.maxDelete, share);
  const { allowDeletes } = context;
  if (allowDeletes === true) return { maxDelete: deletions + spec.maxDelete };
  const away = wentAway(context.last?.sourceMount, context.sourceMount);
  const remedy =
    `Look at ${spec.source}. If this is meant: repoman sync ${spec.name} --allow-deletes ` +
    "(it shows them first).";
  const refuse = (reason: string): Verdict => ({
    refused: { result: "refused", reason: reason + away, remedy },
    maxDelete: 0,
  });
  if (typeof allowDeletes === "number") {
    if (context.noDelete || judged <= Math.max(limit, allowDeletes)) {
      return { maxDelete: Math.max(limit, allowDeletes) + left };
    }
    return refuse(`${judged} files would be deleted by now, and ${allowDeletes} were agreed with`);
  }
  if (!context.noDelete && judged > limit) {
    const percent = onCopy > 0 ? Math.round((judged * 1000) / onCopy) / 10 : 100;
    return refuse(
      judged > spec.maxDelete
        ? `${judged} files would be deleted on the copy, more than the limit of ${spec.maxDelete}`
        : `${judged} of ${onCopy} files (${percent} %) would be deleted on the copy, ` +
            `more than the limit of ${spec.maxDeletePercent} %`,
    );
  }
  const { last } = context;
  if (last) {
    // A run that broke off may have deleted, within its limits, what the last good one had copied.
    const deleted = context.brokeOff && !gone && !context.noDelete;
    const seen = deleted ? Math.min(last.files, onCopy) : last.files;
    const files = Math.max(0, seen - repacked);
    if (counts.files * 100 < files * spec.minFilesPercent) {
      return refuse(
        `The repository has ${counts.files} files; at the last good run it had ${last.files}`,
      );
    }
    // Packing shrinks a repository at will, so then its size says nothing.
    if (repacked === 0 && counts.bytes * 100 < last.bytes * spec.minBytesPercent) {
      return refuse(
        `The repository has ${counts.bytes} bytes; at the last good run it had ${last.bytes}`,
      );
    }
  }
  return { maxDelete: limit + left };
}

/** A repository of which the excludes leave nothing is not backed up, whatever rsync says. */
export function nothingToCopy(
  spec: CheckedSpec,
  counts: Counts,
  outcome?: { code: number | null },
): Refusal | undefined {
  if (counts.files > 1 || (outcome && outcome.code !== 0)) return undefined;
  return {
    result: "refused",
    reason: `The excludes leave nothing of ${spec.source} to copy`,
    remedy: `Look at the project's excludes and at ${spec.source}/.repoman-exclude.`,
  };
}
