import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../host/child.ts";
import { writeFileAtomic } from "../host/files.js";
import { isLocal } from "../host/mountinfo.ts";
import { commonArgs } from "./command.ts";
import { type Abilities, SCRATCH } from "./disk.ts";
import { type End, endOf } from "./end.ts";
import { repositoryExcludes, rulesOf, WHOLE } from "./excludes.ts";
import type { Refusal } from "./judge.ts";
import { lockRepository, type RepositoryLock } from "./lock.ts";
import { ITEM_FORMAT, type Item } from "./output.ts";
import { findSite, type Site } from "./probe.ts";
import { readRecord, type Verified, verifiedFile } from "./record.ts";
import { runRsync } from "./run.ts";
import { Sample } from "./sample.ts";
import { inspectSource } from "./source.ts";
import { type CheckedSpec, checkSpec } from "./spec.ts";
import { bytesRead } from "./stall.ts";
import { Tally, type VerifyDifference } from "./tally.ts";
import type { BackupSpec, Progress, RunRecord } from "./types.ts";

export interface VerifyOptions {
  /** The share of the files whose content is read, in percent; 100 reads all. */
  sample: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** For tests: numbers from 0 to 1 by which files are drawn. */
  draw?: () => number;
}

export type Verification =
  | ({ ok: true; warnings: string[] } & Verified & {
        /** The first of what should be alike and is not. */
        differences: VerifyDifference[];
      })
  | ({ ok: false } & (Refusal | (Required<End> & { result: "failed" })));

const PROGRESS_MS = 100;

/**
 * Holds a copy against its repository: names, kinds, sizes, times, modes, owners and attributes of
 * everything, and the content of a share of the files, by checksums. What the repository has
 * changed since the last good run is no fault of the copy's; it is counted apart. Changes neither.
 *
 * @throws {Fault} conflict: a mirror run is at work; usage: see `checkSpec`
 */
export async function verify(given: BackupSpec, options: VerifyOptions): Promise<Verification> {
  const spec = checkSpec(given);
  const lock = lockRepository(spec);
  const work = join(spec.recordsDir, ".run", `${spec.name}.verify`);
  try {
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true, mode: 0o700 });
    const found = await look(spec, { ...options, work, lock });
    if (found.ok) {
      const { ok, warnings, differences, ...verified } = found;
      await writeFileAtomic(
        verifiedFile(spec.recordsDir, spec.name),
        `${JSON.stringify(verified, null, 2)}\n`,
        { mode: 0o600 },
      );
    }
    return found;
  } finally {
    await rm(work, { recursive: true, force: true });
    lock.release();
  }
}

interface Around extends VerifyOptions {
  work: string;
  lock: RepositoryLock;
}

async function look(spec: CheckedSpec, around: Around): Promise<Verification> {
  around.onProgress?.({ phase: "checking", bytes: 0 });
  const record = await readRecord(spec.recordsDir, spec.name);
  const last = record?.destination === spec.destination ? record.lastGood : undefined;
  const [site, source] = await Promise.all([
    findSite(spec),
    inspectSource(spec, last?.sourceMount),
  ]);
  if (!site.ok) return site;
  if (!source.ok) return source;
  if (site.device === undefined || !site.disk) {
    return {
      ok: false,
      result: "refused",
      reason: `There is no copy at ${spec.destination}`,
      remedy: `Make it: repoman sync ${spec.name}`,
    };
  }
  const excludes = await repositoryExcludes(spec);
  const rules = rulesOf(spec.exclude ?? [], excludes.patterns, WHOLE);
  const startedAt = new Date();
  const began = performance.now();
  const folder = join(site.found.root, SCRATCH, site.disk.id);
  const tally = new Tally(spec, {
    since: last?.at,
    until: await endOfRuns(spec, record, site, folder),
    copy: site.destination,
    work: around.work,
  });
  const compare = (args: string[], onItem: (item: Item) => void, total?: number) =>
    compareOnce(
      spec,
      { folder, rules, ...around },
      [...commonArgs(site.recorded?.abilities ?? ALL), ...args],
      onItem,
      total,
    );

  // All of the tree, by what the file systems say of it; the files among it that are alike are
  // drawn from.
  const sample = new Sample(around);
  await sample.begin();
  around.onProgress?.({ phase: "comparing", bytes: 0 });
  const first = await compare(["--delete", "--info=name2"], (item) => {
    if (isAlike(item)) sample.offer(item);
    else tally.note(item);
  });
  await sample.end();
  const firstEnd = endOf(spec, first);
  if (firstEnd.result === "failed") return failed(firstEnd);
  if (sample.files > 0) {
    const total = sample.bytes * 2;
    around.onProgress?.({ phase: "verifying", bytes: 0, totalBytes: total });
    const second = await compare(
      ["--checksum", `--files-from=${sample.file}`],
      (item) => {
        if (/^[<>]f/.test(item.change)) tally.note(item);
      },
      total,
    );
    const end = endOf(spec, second);
    if (end.result === "failed") return failed(end);
    tally.unread(second.failures);
  }
  tally.unread(first.failures);
  await tally.settle();
  return {
    ok: true,
    schema: 1,
    at: startedAt.toISOString(),
    seconds: Math.round(performance.now() - began) / 1000,
    sample: around.sample,
    files: sample.files,
    bytes: sample.bytes,
    ofFiles: sample.ofFiles,
    ofBytes: sample.ofBytes,
    different: tally.different,
    changedSince: tally.changedSince,
    unread: tally.failures,
    differences: tally.differences,
    warnings: excludes.warnings,
  };
}

/**
 * When the last run was over, by the clock that gives the copy's entries their times: of a disk of
 * this host it is this host's. For any other the folder for what is under way tells, which every
 * run that copies changes, of whichever repository.
 *
 * @returns undefined where that cannot be told: a run broke off, and may have gone on alone
 */
async function endOfRuns(
  spec: CheckedSpec,
  record: RunRecord | undefined,
  site: Site,
  folder: string,
): Promise<number | undefined> {
  if (!record || record.destination !== spec.destination || record.result === "failed") {
    return undefined;
  }
  if (isLocal(site.found.mounts, site.destination)) {
    const ended = Date.parse(record.endedAt);
    return ended <= Date.now() ? ended : undefined;
  }
  const answer = await ask(["stat", "--printf=%.3Z", "--", folder], {
    timeoutMs: spec.answerWithin,
  });
  const changed = Number(answer.stdout.toString() || Number.NaN) * 1000;
  return Number.isFinite(changed) ? changed : undefined;
}

const ALL: Abilities = { acls: true, xattrs: "all", nanoseconds: true };

function failed({ reason = "", remedy = "" }: End): Verification {
  return { ok: false, result: "failed", reason, remedy };
}

async function compareOnce(
  spec: CheckedSpec,
  { folder, rules, lock, signal, onProgress }: Around & { folder: string; rules: Buffer },
  args: readonly string[],
  onItem: (item: Item) => void,
  total: number | undefined,
) {
  let timer: NodeJS.Timeout | undefined;
  const watch = (group: number) => {
    if (total === undefined) return;
    timer = setInterval(async () => {
      const bytes = Math.min(await bytesRead(group), total);
      if (bytes > 0) onProgress?.({ phase: "verifying", bytes, totalBytes: total });
    }, PROGRESS_MS);
  };
  const paths = ["--", `${spec.source}/`, `${join("../..", spec.below)}/`];
  try {
    return await runRsync(["--dry-run", ...args, `--out-format=${ITEM_FORMAT}`, ...paths], {
      folder,
      rules,
      lock,
      stallAfter: spec.stallAfter,
      signal,
      onStart: watch,
      onItem,
    });
  } finally {
    clearInterval(timer);
  }
}

/** rsync prints what is alike with blanks where it would print what is not. */
function isAlike({ change }: Item): boolean {
  return change.length <= 2;
}
