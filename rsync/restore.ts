import { isAbsolute, join, normalize } from "node:path";
import { ask, errorText } from "../host/child.ts";
import { EXIT, Fault } from "../host/fault.js";
import { isWithin } from "../host/mountinfo.ts";
import type { End } from "./end.ts";
import { chooseFrom, findCopy, type No, no } from "./find-copy.ts";
import { lockRepository } from "./lock.ts";
import { Job } from "./restore-job.ts";
import type { Snapshot } from "./snapshots.ts";
import { type CheckedSpec, checkSpec } from "./spec.ts";
import type { BackupSpec, Progress } from "./types.ts";

export interface RestoreOptions {
  /** The folder to restore into, absolute. */
  to: string;
  /** Only this file or folder of the repository: a path below it. */
  path?: string | undefined;
  /** An older state instead of the copy as it is. */
  snapshot?: Snapshot | undefined;
  /** Goes over what is in the folder already; what the copy does not have stays, unless … */
  overwrite?: boolean | undefined;
  /** … it is told to go. */
  deleteExtra?: boolean | undefined;
  /** A folder of dated copies of the disk, absolute. */
  snapshotsIn?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** What a restore would do. */
export interface RestorePlan {
  ok: true;
  from: string;
  to: string;
  /** `unfinished`: a restore that broke off left it so. */
  target: "absent" | "empty" | "filled" | "unfinished";
  /** Entries to be made or changed, the first of them, and what is to be copied. */
  changes: number;
  changing: string[];
  files: number;
  bytes: number;
  /** Entries of the folder that the copy does not have, and the first of them. */
  extra: number;
  extras: string[];
  warnings: string[];
}

/** What a restore came to. */
export interface Restored extends End {
  ok: true;
  from: string;
  to: string;
  files: number;
  bytes: number;
  deleted: number;
  failures: string[];
  warnings: string[];
  /** What is not as on the copy after all, as rsync prints it (at most 20); empty when all is well. */
  different: string[];
}

/**
 * What a restore would do. Changes nothing.
 *
 * @throws {Fault} usage: a path that leads out, a target on the backup disk or around the copy
 */
export async function planRestore(
  given: BackupSpec,
  options: RestoreOptions,
): Promise<RestorePlan | No> {
  const spec = checkSpec(given);
  const job = await prepare(spec, options);
  if (!job.ok) return job;
  return job.lists(options.signal);
}

/**
 * Restores, and afterwards compares what is there with what should be, byte for byte.
 *
 * @throws {Fault} as `planRestore`; conflict: a mirror run of the repository is at work
 */
export async function restore(given: BackupSpec, options: RestoreOptions): Promise<Restored | No> {
  const spec = checkSpec(given);
  // Half a repository must not be mirrored over its only copy meanwhile.
  const lock = lockRepository(spec);
  try {
    options.onProgress?.({ phase: "comparing", bytes: 0 });
    const job = await prepare(spec, options);
    if (!job.ok) return job;
    const plan = await job.lists(options.signal);
    if (!plan.ok) return plan;
    if (plan.target === "filled" && plan.changes > 0 && !options.overwrite) {
      return no(
        "refused",
        `${plan.to} is not empty`,
        "Restore to an empty folder, or over what is there: --force",
      );
    }
    return await job.run(plan, lock);
  } finally {
    lock.release();
  }
}

async function prepare(spec: CheckedSpec, options: RestoreOptions) {
  const { to, sub } = checkPlaces(spec, options);
  const found = await findCopy(spec, options.snapshotsIn);
  if (!found.ok) return found;
  const from = await chooseFrom(spec, found, options.snapshot);
  if (typeof from !== "string") return from;
  if (sub !== undefined) {
    const answer = await ask(["stat", "--printf=x", "--", join(from, sub)], {
      timeoutMs: spec.answerWithin,
    });
    if (answer.code !== 0) {
      return no(
        "refused",
        `The copy ${from} has no ${sub}: ${errorText(answer.stderr)}`,
        "Look there for how it is written.",
      );
    }
  }
  const warnings = [...found.warnings];
  if (process.getuid?.() !== 0) {
    warnings.push("Only root can give files back to their owners: all that is restored is yours");
  }
  return new Job(spec, options, from, to, sub, warnings);
}

/** @throws {Fault} usage */
function checkPlaces(spec: CheckedSpec, { to: wanted, path }: RestoreOptions) {
  const wrong = (what: string, remedy: string) => new Fault(what, { remedy, exitCode: EXIT.usage });
  if (!isAbsolute(wanted) || wanted.includes("\0")) {
    throw wrong(`${JSON.stringify(wanted)} is not an absolute path`, "Name a folder.");
  }
  const to = normalize(wanted).replace(/(.)\/+$/, "$1");
  if (isWithin(to, spec.backupRoot) || isWithin(spec.backupRoot, to)) {
    throw wrong(
      `${to} is on the backup disk or around it`,
      "Restore to a place that holds no copies.",
    );
  }
  if (path === undefined) return { to, sub: undefined };
  const sub = normalize(path).replace(/\/+$/, "");
  if (isAbsolute(sub) || sub === ".." || sub.startsWith("../") || sub.includes("\0")) {
    throw wrong(
      `${JSON.stringify(path)} is no path below the repository`,
      "Name it as seen from the repository's top.",
    );
  }
  return { to, sub: sub === "." || sub === "" ? undefined : sub };
}
