import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "./child.ts";
import { type ClaimedSite, claimSite, makeFolder } from "./claim.ts";
import { compare, type Found } from "./compare.ts";
import { clearScratch, copy, type Job } from "./copy.ts";
import { type Abilities, type DiskRecord, writeDiskRecord } from "./disk.ts";
import { type End, endOf, endOfCopy } from "./end.ts";
import { repositoryExcludes, ruleFile, WHOLE } from "./excludes.ts";
import { findGitFolders, type GitFolder, holdsGit } from "./git.ts";
import { judgeDestination } from "./judge.ts";
import { judgeChanges, nothingToCopy, type Verdict } from "./limits.ts";
import { countRepacked } from "./packed.ts";
import { findSite } from "./probe.ts";
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
  lockFd: number;
  /** The last run broke off: it may have left something unfinished on the disk. */
  cutOff: boolean;
  /** Folder of this host for this run's lists; made and removed here. */
  work: string;
  /** Called before the copy is changed for the first time. */
  onStart: () => Promise<void>;
}

/** One run, under the repository's lock. */
export async function attempt(spec: CheckedSpec, around: Surroundings): Promise<Attempt> {
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
  await rm(around.work, { recursive: true, force: true });
  await mkdir(around.work, { recursive: true, mode: 0o700 });
  try {
    const done = await run(spec, claimed, source, around);
    return { ...done, disk, warnings: [...claimed.notices, ...(done.warnings ?? [])] };
  } finally {
    await rm(around.work, { recursive: true, force: true });
  }
}

/** A refusal without its `ok`. */
function told({ result, reason, remedy }: Required<End>): Attempt {
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
  const abilities: Abilities = { ...site.recorded.abilities };
  let totalBytes: number | undefined;
  const job: Job = {
    spec,
    site,
    excludes,
    work: around.work,
    abilities,
    run: {
      folder: site.folder,
      lockFd: around.lockFd,
      stallAfter: spec.stallAfter,
      signal: around.signal,
      onProgress: (progress) =>
        around.onProgress?.({
          phase: "copying",
          ...progress,
          ...(totalBytes !== undefined && { totalBytes }),
        }),
    },
  };
  const good = (counts: Counts): Omit<LastGood, "at"> => ({
    files: counts.files,
    bytes: counts.bytes,
    disk: site.recorded.disk,
    destinationMount: site.mount,
    sourceMount: source.mount,
  });

  let found: Found | undefined;
  let verdict: Verdict = { maxDelete: 0 };
  let gitFolders: GitFolder[] | undefined;
  const folders = async () => (gitFolders ??= await findGitFolders(spec.source, spec.stallAfter));
  const empty = await isEmpty(spec, site, around.last);
  if (!empty) {
    around.onProgress?.({ phase: "comparing", bytes: 0 });
    found = await compareOnce(job, around.noDelete ?? false);
    const { counts } = found;
    const end = endOf(spec, found.outcome);
    if (end.result === "failed") return { ...end, counts, failures: found.outcome.failures };
    const nothing = nothingToCopy(spec, counts);
    if (nothing) return { ...nothing, counts, warnings };
    const context = {
      last: around.last,
      sourceMount: source.mount,
      allowDeletes: around.allowDeletes ?? false,
      noDelete: around.noDelete ?? false,
    };
    verdict = judgeChanges(spec, { counts, deletions: found.deletions, repacked: 0 }, context);
    if (verdict.refused) {
      const repacked = await countRepacked(found.objectDeletions, await folders(), {
        source: spec.source,
        copy: site.destination,
        allowedLoss: spec.maxDeletePercent,
        timeoutMs: spec.stallAfter,
      });
      verdict = judgeChanges(spec, { counts, deletions: found.deletions, repacked }, context);
    }
    if (verdict.refused) return { result: "refused", ...verdict.refused, counts, warnings };
    if (found.items === 0) {
      if (around.cutOff) await clearScratch(job);
      return { ...end, counts, warnings, failures: found.outcome.failures, good: good(counts) };
    }
    totalBytes = counts.copiedBytes;
  }
  await around.onStart();
  job.run.onProgress?.({ bytes: 0, rate: 0 });
  const copied = await copy(job, {
    empty,
    noDelete: around.noDelete ?? false,
    maxDelete: verdict.maxDelete,
    gitFolders: await folders(),
    gitPending: found === undefined || holdsGit(await folders(), found.folders),
    objectDeletions: around.noDelete ? undefined : found?.objectDeletions,
  });
  warnings.push(...(await learn(spec, site.recorded, abilities)));
  const counts = found
    ? { ...copied.counts, files: found.counts.files, bytes: found.counts.bytes }
    : copied.counts;
  const end = nothingToCopy(spec, counts, copied.outcome) ?? endOfCopy(spec, copied);
  const isGood = end.result === "ok" || end.result === "ok-vanished";
  return {
    ...end,
    counts,
    failures: copied.failures,
    warnings,
    ...(isGood && { good: good(counts) }),
  };
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

async function compareOnce(job: Job, noDelete: boolean): Promise<Found> {
  const { spec, site } = job;
  const rules = join(job.work, "rules");
  await writeFile(rules, ruleFile(spec.exclude ?? [], job.excludes.patterns, WHOLE));
  const paths = {
    source: spec.source,
    destination: join("../..", spec.below),
    rules,
    work: job.work,
  };
  const options = { ...job.run, onProgress: undefined, noDelete };
  const found = await compare(paths, job.abilities, options);
  if (!found.outcome.noFolder) return found;
  // The marker is there, but not the folder beside it.
  const again = await findSite(spec);
  if (!again.ok) return found;
  await makeFolder(spec, site.folder);
  return compare(paths, job.abilities, options);
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
