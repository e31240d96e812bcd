import { join } from "node:path";
import { ask } from "../host/child.ts";
import { type ClaimedSite, claimSite, restoreFolder } from "./claim.ts";
import { type CopyPlan, copy } from "./copy.ts";
import { type Decision, decide, lookOnce, type Question } from "./decide.ts";
import { type Abilities, type DiskRecord, writeDiskRecord } from "./disk.ts";
import { type End, endOfCopy, INTERRUPTED, isFull } from "./end.ts";
import { repositoryExcludes } from "./excludes.ts";
import { borrowing, holdsGit } from "./git.ts";
import type { Job } from "./job.ts";
import { judgeDestination } from "./judge.ts";
import { nothingToCopy } from "./limits.ts";
import type { RepositoryLock } from "./lock.ts";
import { ownersLost } from "./owners.ts";
import { findSite } from "./probe.ts";
import { clearScratch, unfinishedIn } from "./scratch.ts";
import { inspectSource, type Source } from "./source.ts";
import type { CheckedSpec } from "./spec.ts";
import type { Counts, DiskIdentity, LastGood, MirrorOptions } from "./types.ts";

/** What a run came to; what is not set is not known. */
export interface Attempt extends End {
  counts?: Counts;
  failures?: string[];
  warnings?: string[];
  disk?: DiskIdentity;
  /** What the next runs compare with; set when the run was good. */
  good?: Omit<LastGood, "at">;
}

export interface Surroundings extends MirrorOptions {
  last: LastGood | undefined;
  lock: RepositoryLock;
  /**
   * Makes sure that the lock is held, and that nobody was at it since `last` was read. Called before
   * anything is done to the copy; what is only told is settled by who records it.
   */
  settle: () => void;
  /** The last run did not come to its end: it may have left something unfinished on the disk. */
  cutOff: boolean;
  /** Folder of this host for this run's lists. */
  work: string;
  /** Called before the copy is changed for the first time. */
  onStart: () => Promise<void>;
}

/** One run. What it finds is settled under the repository's lock, which the comparison takes. */
export async function attempt(spec: CheckedSpec, around: Surroundings): Promise<Attempt> {
  if (around.signal?.aborted) return INTERRUPTED;
  around.onProgress?.({ phase: "checking", bytes: 0 });
  const [site, source] = await Promise.all([
    findSite(spec),
    inspectSource(spec, around.last?.sourceMount),
  ]);
  if (!site.ok) return told(site);
  if (!source.ok) return { ...told(source), ...(site.disk && { disk: site.disk }) };
  if (site.readOnly) {
    return {
      result: "failed",
      reason: `The backup disk at ${spec.backupRoot} is mounted read-only`,
      remedy: `Find out why (dmesg), then: mount -o remount,rw ${site.mount.mountPoint}`,
    };
  }
  const claimed = await claimSite(spec, site, source.device);
  if (!claimed.ok) return told(claimed);
  const { disk } = claimed.recorded;
  const elsewhere = judgeDestination(spec, claimed.mount, disk, around.last);
  if (elsewhere) return { ...elsewhere, disk };
  const done = await run(spec, claimed, source, around);
  return { ...done, disk, warnings: [...claimed.notices, ...(done.warnings ?? [])] };
}

/** A refusal alone, without what came with it. */
export function told({ result, reason, remedy }: Required<End>): Attempt {
  return { result, reason, remedy };
}

async function run(
  spec: CheckedSpec,
  site: ClaimedSite,
  source: Source,
  around: Surroundings,
): Promise<Attempt> {
  const excludes = await repositoryExcludes(spec);
  const warnings = [...excludes.warnings];
  const noDelete = around.noDelete ?? false;
  const allowDeletes = around.allowDeletes ?? false;
  let totalBytes: number | undefined;
  const { onProgress } = around;
  const job: Job = {
    spec,
    site,
    excludes,
    work: around.work,
    abilities: { ...site.recorded.abilities },
    checksum: around.checksum ?? false,
    run: {
      folder: site.folder,
      lock: around.lock,
      stallAfter: spec.stallAfter,
      signal: around.signal,
      onProgress:
        onProgress &&
        ((progress) =>
          onProgress({
            phase: "copying",
            ...progress,
            ...(totalBytes !== undefined && { totalBytes }),
          })),
    },
  };
  const finish = (end: End, counts: Counts, failures: string[]): Attempt => ({
    ...end,
    counts,
    failures,
    warnings,
    ...(isGood(end) && {
      good: {
        files: counts.files,
        bytes: counts.bytes,
        disk: site.recorded.disk,
        destinationMount: site.mount,
        sourceMount: source.mount,
      },
    }),
  });

  let decision: Decision | undefined;
  if (around.cutOff) {
    around.settle();
    await clearScratch(job);
  }
  const empty = await isEmpty(spec, site, around.last);
  // A copy that has gone is made anew only of a repository that has not.
  if (!empty || around.last) {
    around.onProgress?.({ phase: "comparing", bytes: 0 });
    decision = await decideOnDisk(job, {
      last: around.last,
      sourceMount: source.mount,
      allowDeletes,
      noDelete,
      brokeOff: around.cutOff,
    });
    const { found, end, verdict } = decision;
    const { counts } = found;
    if (end.result === "failed") return finish(end, counts, found.outcome.failures);
    if (verdict.refused) return finish(verdict.refused, counts, []);
    if (found.items === 0 && !empty) return finish(end, counts, found.outcome.failures);
    totalBytes = counts.copiedBytes;
  }
  around.settle();
  if (around.signal?.aborted) return INTERRUPTED;
  await around.onStart();
  job.run.onProgress?.({ bytes: 0, rate: 0 });
  const found = decision?.found;
  const gitFolders = await (decision?.folders ?? lookOnce(spec))();
  warnings.push(...(await borrowing(spec.source, gitFolders)), ...(await ownersLost(spec)));
  const plan: CopyPlan = {
    cleared: around.cutOff,
    empty,
    noDelete,
    maxDelete: decision?.verdict.maxDelete ?? 0,
    gitFolders,
    gitPending: found === undefined || holdsGit(gitFolders, found.folders),
    objectDeletions: noDelete ? undefined : found?.objectDeletions,
  };
  let copied = await copy(job, plan);
  // Room is made first only for one who has seen what is to be deleted: the new may still not fit.
  if (isFull(copied.failures) && allowDeletes !== false && (found?.deletions ?? 0) > 0) {
    copied = await copy(job, { ...plan, cleared: false, deleteFirst: true });
  }
  warnings.push(...(await learn(spec, site.recorded, job.abilities)));
  const counts = found
    ? { ...copied.counts, files: found.counts.files, bytes: found.counts.bytes }
    : copied.counts;
  const end = nothingToCopy(spec, counts, copied.outcome) ?? endOfCopy(spec, copied);
  return finish(end, counts, copied.failures);
}

function isGood({ result }: End): boolean {
  return result === "ok" || result === "ok-vanished";
}

/** Whether the copy holds nothing yet, so that there is nothing to compare with. */
async function isEmpty(
  spec: CheckedSpec,
  site: ClaimedSite,
  last: LastGood | undefined,
): Promise<boolean> {
  if (site.device === undefined) return true;
  if (last) return false;
  const { stdout, code } = await ask(
    ["find", `${site.destination}/.`, "-mindepth", "1", "-maxdepth", "1", "-printf", "x", "-quit"],
    { timeoutMs: spec.answerWithin },
  );
  return code === 0 && stdout.length === 0;
}

async function decideOnDisk(
  job: Job,
  context: Pick<Question, "last" | "sourceMount" | "allowDeletes" | "noDelete" | "brokeOff">,
): Promise<Decision> {
  const { spec, site } = job;
  const question: Question = {
    ...context,
    ...job,
    copy: undefined,
    ...(site.device !== undefined && {
      copy: site.destination,
      destination: join("../..", spec.below),
    }),
    unfinished: unfinishedIn(site.recorded.disk),
  };
  const decision = await decide(question);
  if (!decision.found.outcome.noFolder) return decision;
  await restoreFolder(spec, site);
  return decide(question);
}

/** Remembers what the disk does not keep. @returns what to say about it, once */
async function learn(
  spec: CheckedSpec,
  recorded: DiskRecord,
  abilities: Abilities,
): Promise<string[]> {
  const lost: string[] = [];
  if (recorded.abilities.acls && !abilities.acls) lost.push("access control lists");
  if (recorded.abilities.xattrs !== abilities.xattrs) {
    lost.push(abilities.xattrs === "user" ? "other than user.* attributes" : "extended attributes");
  }
  if (lost.length === 0) return [];
  await writeDiskRecord(spec.recordsDir, { ...recorded, abilities });
  return [`The backup disk at ${spec.backupRoot} does not keep ${lost.join(" and ")}`];
}
