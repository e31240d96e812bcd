import { join } from "node:path";
import { onDisk } from "./claim.ts";
import { commonArgs, deleteArgs } from "./command.ts";
import type { Abilities } from "./disk.ts";
import { type PhaseRules, rulesOf, WHOLE } from "./excludes.ts";
import { type GitFolder, gitRules, isPassing } from "./git.ts";
import type { Job } from "./job.ts";
import type { RunOutcome } from "./outcome.ts";
import { noCounts } from "./output.ts";
import { deletePacked } from "./packed.ts";
import { type RunOptions, runRsync } from "./run.ts";
import { aside, clearScratch, unfinishedIn, waitingRoom } from "./scratch.ts";
import type { Counts } from "./types.ts";

/** How often a phase is tried whose files go away while it runs. */
const TRIES = 5;

export interface CopyPlan {
  /** Nothing unfinished is left of an earlier run. */
  cleared: boolean;
  /** The copy is empty: nothing can be deleted. */
  empty: boolean;
  noDelete: boolean;
  maxDelete: number;
  /** Delete before anything is copied, to make room. */
  deleteFirst?: boolean;
  gitFolders: readonly GitFolder[];
  /** Whether something is pending in a git folder. */
  gitPending: boolean;
  /** File of NUL-terminated paths among git's objects that the comparison found deletable. */
  objectDeletions?: string | undefined;
}

/** What the phases of a copy came to. */
export interface Copied {
  /** The last phase that did not end well, else the last one. */
  outcome: RunOutcome | undefined;
  /** `files` is right for a copy that was empty; else the comparison's is. */
  counts: Counts;
  failures: string[];
  /** Git's objects did not hold still: its refs on the copy are those of the last run. */
  restless: boolean;
}

const SEVERITY: readonly (number | null)[] = [0, 24, 25, 23];
const severity = (outcome: RunOutcome | undefined) => {
  const code = outcome?.code ?? (outcome ? null : 0);
  const index = SEVERITY.indexOf(code === 24 && outcome?.deletionsStopped ? 25 : code);
  return index < 0 ? SEVERITY.length : index;
};
/** Whether the next phase makes sense. */
const goesOn = (copied: Copied) => severity(copied.outcome) < SEVERITY.length;

/**
 * Copies. A git repository goes in an order in which its copy is one that git accepts at any
 * moment, whatever is committed or packed meanwhile and wherever the run breaks off:
 *
 * 1. what names objects (refs, index, logs) is set aside as it is now, loose refs before packed
 *    ones, since git packs a ref before it removes the loose one
 * 2. objects, again until none went away under the copying
 * 3. what was set aside goes to the copy: all that it names is there
 * 4. the rest of the repository
 * 5. objects that the source had no longer when the run began are deleted, and the objects
 *    copied once more
 */
export async function copy(job: Job, plan: CopyPlan): Promise<Copied> {
  const { spec, site } = job;
  const copied: Copied = {
    outcome: undefined,
    counts: noCounts(),
    failures: [],
    restless: false,
  };
  const destination = join("../..", spec.below);
  if (!plan.cleared) await clearScratch(job);
  const place = plan.empty ? "beside" : site.device === site.found.device ? "outside" : "inside";
  const { folder, temporary } = waitingRoom(job, place);
  const folders = [spec.name, destination, ...(folder === undefined ? [] : [folder])];
  // Nobody else looks in until rsync has given the copy the repository's own mode.
  await onDisk(spec, site, ["mkdir", "-p", "-m", "700", "--", ...folders]);
  const extra = [
    ...(plan.noDelete || plan.empty ? [] : deleteArgs(plan.maxDelete)),
    ...(temporary === undefined ? [] : [`--temp-dir=${temporary}`]),
  ];
  const rest = plan.gitFolders.length === 0 ? WHOLE : gitRules(plan.gitFolders).rest;
  if (plan.deleteFirst) {
    const only = ["--existing", "--ignore-existing", ...deleteArgs(plan.maxDelete)];
    settle(copied, await phase(job, copied, rest, spec.source, destination, only));
  }
  if (!goesOn(copied)) return copied;
  if (plan.gitPending && plan.gitFolders.length > 0) {
    await copyGit(job, copied, plan, destination, extra);
  } else {
    settle(copied, await phase(job, copied, rest, spec.source, destination, extra));
  }
  await clearScratch(job).catch(() => undefined);
  if (place === "inside") {
    // Its time had changed with the folder. Where that fails the next run mends it.
    await onDisk(spec, site, ["touch", "-cm", "-r", `${spec.source}/.`, "--", destination], {
      timeoutMs: spec.answerWithin,
    }).catch(() => undefined);
  }
  // What was empty holds what was created, and the folder itself.
  copied.counts.files = copied.counts.created + 1;
  return copied;
}

async function copyGit(
  job: Job,
  copied: Copied,
  plan: CopyPlan,
  destination: string,
  extra: readonly string[],
): Promise<void> {
  const { source } = job.spec;
  const rules = gitRules(plan.gitFolders);
  const keep = extra.filter((arg) => arg.startsWith("--temp-dir"));
  const isAside =
    (await steady(job, copied, rules.naming, aside(job), [])) &&
    (await steady(job, copied, rules.packedRefs, aside(job), []));
  // Nothing of that is on the copy yet.
  copied.counts = noCounts();
  const whole =
    goesOn(copied) && (await steady(job, copied, rules.objects, destination, keep)) && isAside;
  let { bytes } = copied.counts;
  const next = async (phaseRules: PhaseRules, from: string, args: readonly string[]) => {
    const outcome = await phase(job, copied, phaseRules, from, destination, args);
    settle(copied, outcome);
    bytes += outcome.counts.bytes;
  };
  copied.restless = !whole;
  if (whole) await next(rules.named, aside(job), extra);
  if (goesOn(copied)) await next(rules.rest, source, extra);
  if (whole && plan.objectDeletions && severity(copied.outcome) <= 1) {
    copied.counts.deleted += await deletePacked(job, plan.gitFolders, plan.objectDeletions);
  }
  copied.counts.bytes = bytes;
  if (goesOn(copied)) await steady(job, copied, rules.objects, destination, keep);
  copied.counts.bytes = bytes;
}

/**
 * Runs a phase until no file that matters went away while it ran.
 *
 * @returns whether it came to that, and all was copied
 */
async function steady(
  job: Job,
  copied: Copied,
  rules: PhaseRules,
  to: string,
  args: readonly string[],
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const outcome = await phase(job, copied, rules, job.spec.source, to, args);
    const { vanished, vanishedNames } = outcome;
    const passing = vanished === vanishedNames.length && vanishedNames.every(isPassing);
    if (outcome.code === 24 && passing) return true;
    if (outcome.code === 24 && tries < TRIES) continue;
    settle(copied, outcome);
    return outcome.code === 0;
  }
}

/** Runs rsync once, again with less where the disk does not keep an attribute, and counts. */
async function phase(
  job: Job,
  { counts }: Copied,
  rules: PhaseRules,
  from: string,
  to: string,
  extra: readonly string[],
): Promise<RunOutcome> {
  const before = counts.copiedBytes;
  const onProgress: RunOptions["onProgress"] = (progress) =>
    job.run.onProgress?.({ ...progress, bytes: before + progress.bytes });
  // A word for every file is a good deal of work where nobody listens.
  const heard = job.run.onProgress !== undefined && to !== aside(job);
  const options = {
    ...job.run,
    rules: rulesOf(job.spec.exclude ?? [], job.excludes.patterns, rules),
    onProgress: heard ? onProgress : undefined,
  };
  const paths = ["--", `${from}/`, `${to}/`];
  for (;;) {
    const args = [
      ...commonArgs(job.abilities),
      `--exclude=/${unfinishedIn(job.site.recorded.disk)}`,
      ...(heard ? ["--info=progress2"] : []),
      ...(job.checksum ? ["--checksum"] : []),
      ...extra,
      ...paths,
    ];
    const outcome = await runRsync(args, options);
    for (const key of ["created", "deleted", "copied", "copiedBytes"] as const) {
      counts[key] += outcome.counts[key];
    }
    counts.bytes = outcome.counts.bytes;
    if (outcome.code !== 23 || !lower(job.abilities, outcome)) return outcome;
  }
}

/** Takes note of attributes that the disk refused. @returns whether that was all that went wrong */
export function lower(abilities: Abilities, { unsupported }: RunOutcome): boolean {
  if (unsupported.other || (!unsupported.acls && unsupported.xattrs.length === 0)) return false;
  if (unsupported.acls) abilities.acls = false;
  if (unsupported.xattrs.length > 0) {
    const users = unsupported.xattrs.some((name) => name.startsWith("user."));
    abilities.xattrs = users || abilities.xattrs === "user" ? "none" : "user";
  }
  return true;
}

/** Takes the end of a phase into that of the whole: the worst counts. */
function settle(copied: Copied, outcome: RunOutcome): void {
  if (severity(outcome) >= severity(copied.outcome)) copied.outcome = outcome;
  copied.failures.push(...outcome.failures.slice(0, 20 - copied.failures.length));
}
