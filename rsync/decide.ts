import { compare, type Found } from "./compare.ts";
import type { Abilities } from "./disk.ts";
import { type End, endOf } from "./end.ts";
import { type Excludes, rulesOf, WHOLE } from "./excludes.ts";
import { findGitFolders, type GitFolder } from "./git.ts";
import { judgeChanges, nothingToCopy, type Verdict } from "./limits.ts";
import { countRepacked } from "./packed.ts";
import type { RunOptions } from "./run.ts";
import type { CheckedSpec } from "./spec.ts";
import type { LastGood, MountFacts } from "./types.ts";

export interface Question {
  spec: CheckedSpec;
  excludes: Excludes;
  abilities: Abilities;
  /** Folder of this host for lists. */
  work: string;
  /** The copy as rsync finds it from the folder that it stands in. */
  destination: string;
  /** Name in the copy that is no part of it. */
  unfinished?: string;
  /** The copy's absolute path. */
  copy: string;
  run: RunOptions;
  last: LastGood | undefined;
  sourceMount: MountFacts;
  allowDeletes: boolean | number;
  noDelete: boolean;
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
  const { spec, work, noDelete, checksum } = question;
  const found = await compare(
    {
      source: spec.source,
      destination: question.destination,
      work,
      unfinished: question.unfinished,
    },
    question.abilities,
    {
      ...question.run,
      rules: rulesOf(spec.exclude ?? [], question.excludes.patterns, WHOLE),
      onProgress: undefined,
      noDelete,
      checksum,
      expectedFiles: question.last?.files ?? Number.POSITIVE_INFINITY,
    },
  );
  const end = endOf(spec, found.outcome);
  const folders = lookOnce(spec);
  const { counts, deletions } = found;
  if (end.result === "failed") return { found, end, verdict: { maxDelete: 0 }, folders };
  const nothing = nothingToCopy(spec, counts);
  if (nothing) return { found, end, verdict: { refused: nothing, maxDelete: 0 }, folders };
  let verdict = judgeChanges(spec, { counts, deletions, repacked: 0 }, question);
  if (verdict.refused && found.objectDeletions !== undefined) {
    const repacked = await countRepacked(found.objectDeletions, await folders(), {
      source: spec.source,
      copy: question.copy,
      allowedLoss: spec.maxDeletePercent,
      timeoutMs: spec.stallAfter,
    });
    verdict = judgeChanges(spec, { counts, deletions, repacked }, question);
  }
  return { found, end, verdict, folders };
}

/** The search for git folders, made at its first call. */
export function lookOnce(spec: CheckedSpec): () => Promise<GitFolder[]> {
  let looked: Promise<GitFolder[]> | undefined;
  return () => {
    looked ??= findGitFolders(spec.source, spec.stallAfter);
    return looked;
  };
}
