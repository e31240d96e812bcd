import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { compare, type Found } from "./compare.ts";
import type { Abilities } from "./disk.ts";
import { type End, endOf } from "./end.ts";
import { type Excludes, rulesOf, WHOLE } from "./excludes.ts";
import { findGitFolders, type GitFolder } from "./git.ts";
import { judgeChanges, nothingToCopy, type Verdict } from "./limits.ts";
import { countRepacked } from "./repacked.ts";
import type { RunOptions } from "./run.ts";
import type { CheckedSpec } from "./spec.ts";
import type { LastGood, MountFacts } from "./types.ts";

export interface Question {
  spec: CheckedSpec;
  excludes: Excludes;
  abilities: Abilities;
  /** Folder of this host for lists; made where it is needed. */
  work: string;
  /** The copy's absolute path; undefined while it is not there: it is compared as an empty folder. */
  copy: string | undefined;
  /** The copy as rsync finds it from the folder that it stands in; its absolute path unless set. */
  destination?: string;
  /** Name in the copy that is no part of it. */
  unfinished?: string;
  run: RunOptions;
  last: LastGood | undefined;
  sourceMount: MountFacts;
  allowDeletes: boolean | number;
  noDelete: boolean;
  /** Whether a run has broken off since the last good one. */
  brokeOff: boolean;
  checksum: boolean;
}

/** What a comparison found, and whether it may be carried out. */
export interface Decision {
  found: Found;
  /** How the comparison itself ended. */
  end: End;
  verdict: Verdict;
  /** The repository's git folders, looked for when asked and then once. */
  folders: () => Promise<GitFolder[]>;
}

/** Compares source and copy and judges what a run would change. Changes nothing. */
export async function decide(question: Question): Promise<Decision> {
  const { spec, noDelete } = question;
  const found = await look(question, noDelete);
  const end = endOf(spec, found.outcome);
  const folders = lookOnce(spec);
  const { counts, deletions, unfinished } = found;
  if (end.result === "failed") return { found, end, verdict: { maxDelete: 0 }, folders };
  const nothing = nothingToCopy(spec, counts);
  if (nothing) return { found, end, verdict: { refused: nothing, maxDelete: 0 }, folders };
  const { copy } = question;
  const comparison = { counts, deletions, unfinished, gone: copy === undefined };
  let verdict = judgeChanges(spec, { ...comparison, repacked: 0 }, question);
  if (copy !== undefined && verdict.refused && (await folders()).length > 0) {
    // What is not to be deleted was not listed either; of a repository that git packed it tells why
    // there is so much less.
    const list = noDelete ? (await look(question, false)).objectDeletions : found.objectDeletions;
    if (list !== undefined) {
      const repacked = await countRepacked(list, await folders(), {
        source: spec.source,
        copy,
        work: question.work,
        allowedLoss: spec.maxDeletePercent,
        timeoutMs: spec.stallAfter,
      });
      verdict = judgeChanges(spec, { ...comparison, repacked }, question);
    }
  }
  return { found, end, verdict, folders };
}

function look(question: Question, noDelete: boolean): Promise<Found> {
  const { spec, copy, work, unfinished, checksum } = question;
  const nothing = join(work, "nothing");
  if (copy === undefined) mkdirSync(nothing, { recursive: true, mode: 0o700 });
  const destination = question.destination ?? copy ?? nothing;
  return compare({ source: spec.source, destination, work, unfinished }, question.abilities, {
    ...question.run,
    rules: rulesOf(spec.exclude ?? [], question.excludes.patterns, WHOLE),
    onProgress: undefined,
    noDelete,
    checksum,
    expectedFiles: question.last?.files ?? Number.POSITIVE_INFINITY,
  });
}

/** The search for git folders, made at its first call. */
export function lookOnce(spec: CheckedSpec): () => Promise<GitFolder[]> {
  let looked: Promise<GitFolder[]> | undefined;
  return () => {
    looked ??= findGitFolders(spec.source, spec.stallAfter);
    return looked;
  };
}
