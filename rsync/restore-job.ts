import { commonArgs } from "./command.ts";
import { lower } from "./copy.ts";
import type { Abilities } from "./disk.ts";
import { endOf } from "./end.ts";
import { type No, no } from "./find-copy.ts";
import type { RepositoryLock } from "./lock.ts";
import type { RunOutcome } from "./outcome.ts";
import { ITEM_FORMAT, type Item } from "./output.ts";
import type { Target } from "./restore-target.ts";
import type { RestoreOptions, RestorePlan, TargetState } from "./restore-types.ts";
import { runRsync } from "./run.ts";
import type { CheckedSpec } from "./spec.ts";

/** How many names are kept of what would change, or is different. */
export const KEPT = 20;

/** One restore's surroundings. */
export interface RestoreJob {
  ok: true;
  spec: CheckedSpec;
  options: RestoreOptions;
  from: string;
  target: Target;
  /** Only this below it. */
  sub: string | undefined;
  /** Lowered when the place turns out not to keep something. */
  abilities: Abilities;
  warnings: string[];
}

/** What there is to do. Changes nothing. */
export async function listChanges(job: RestoreJob): Promise<RestorePlan | No> {
  const { spec, from, target, warnings, options } = job;
  const state = await target.look();
  if (typeof state !== "string") return state;
  const plan: RestorePlan = {
    ok: true,
    from,
    to: target.to,
    target: state,
    changes: 0,
    changing: [],
    files: 0,
    bytes: 0,
    extra: 0,
    extras: [],
    warnings,
  };
  const left = await target.leftover();
  const args = ["--dry-run", "--delete", ...sparing(left), ...thorough(state)];
  const outcome = await runRestore(job, args, {
    signal: options.signal,
    onItem: (item) => {
      if (item.deleted) {
        plan.extra += 1;
        if (plan.extras.length < KEPT) plan.extras.push(item.name);
        return;
      }
      plan.changes += 1;
      if (plan.changing.length < KEPT) plan.changing.push(item.name);
    },
  });
  const end = endOf(spec, outcome);
  if (end.result === "failed") return no("failed", end.reason ?? "", end.remedy ?? "");
  plan.files = outcome.counts.copied;
  plan.bytes = outcome.counts.copiedBytes;
  return plan;
}

/** Runs rsync in the copy, again with less where the place does not keep an attribute. */
export async function runRestore(
  { spec, from, sub, target, abilities, warnings }: RestoreJob,
  args: readonly string[],
  options: {
    signal?: AbortSignal | undefined;
    lock?: RepositoryLock;
    onItem?: (item: Item) => void;
    onProgress?: (progress: { bytes: number; rate: number }) => void;
  },
): Promise<RunOutcome> {
  // By this spelling the folders on the way are rsync's to make: no link there is followed, and
  // the target itself is left as it is.
  const source = sub === undefined ? "./" : `${from}/./${sub}`;
  for (;;) {
    const outcome = await runRsync(
      [
        ...commonArgs(abilities),
        ...(sub === undefined ? [] : ["--relative"]),
        ...args,
        ...(options.onItem ? [`--out-format=${ITEM_FORMAT}`] : []),
        "--",
        source,
        `${target.to}/`,
      ],
      { folder: from, stallAfter: spec.stallAfter, ...options },
    );
    if (outcome.code !== 23 || !lower(abilities, outcome)) return outcome;
    warnings.push(`${target.to} does not keep all attributes of the files`);
  }
}

/** Or the deletion of what is too much would take it. @param name in the target */
export function sparing(name: string | undefined): string[] {
  return name === undefined ? [] : [`--filter=P /${name}`];
}

/** Size and time of a file that is there already say nothing of what is in it. */
export function thorough(state: TargetState): string[] {
  return state === "filled" || state === "unfinished" ? ["--checksum"] : [];
}
