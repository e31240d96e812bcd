import { isAbsolute, join, normalize } from "node:path";
import { ask, errorText } from "../host/child.ts";
import { EXIT, Fault } from "../host/fault.js";
import type { Abilities } from "./disk.ts";
import { chooseFrom, findCopy, type No, no } from "./find-copy.ts";
import { lockRepository, type RepositoryLock } from "./lock.ts";
import { bringBack } from "./restore-copy.ts";
import { listChanges, type RestoreJob } from "./restore-job.ts";
import { Target } from "./restore-target.ts";
import type { Restored, RestoreOptions, RestorePlan } from "./restore-types.ts";
import { type CheckedSpec, checkSpec } from "./spec.ts";
import type { BackupSpec } from "./types.ts";

/**
 * What a restore would do. Changes nothing.
 *
 * @throws {Fault} usage: a path that leads out, a target on the backup disk or around the copy
 */
export async function planRestore(
  given: BackupSpec,
  options: RestoreOptions,
): Promise<RestorePlan | No> {
  const job = await prepare(checkSpec(given), options);
  return job.ok ? listChanges(job) : job;
}

/**
 * Restores, and afterwards compares what is there with what should be, byte for byte.
 *
 * @throws {Fault} as `planRestore`; conflict: a mirror run of the repository is at work, or another
 *   restore into the folder
 */
export async function restore(given: BackupSpec, options: RestoreOptions): Promise<Restored | No> {
  const spec = checkSpec(given);
  // Half a repository must not be mirrored over its only copy meanwhile.
  const lock = lockRepository(spec);
  try {
    options.onProgress?.({ phase: "comparing", bytes: 0 });
    const job = await prepare(spec, options);
    if (!job.ok) return job;
    const alone = job.target.lock();
    try {
      return await doRestore(job, lock);
    } finally {
      alone.release();
    }
  } finally {
    lock.release();
  }
}

async function doRestore(job: RestoreJob, lock: RepositoryLock): Promise<Restored | No> {
  const kept = await job.target.clear();
  if (kept) return kept;
  const plan = await listChanges(job);
  if (!plan.ok) return plan;
  if (plan.target === "filled" && plan.changes > 0 && !job.options.overwrite) {
    return no(
      "refused",
      `${plan.to} is not empty`,
      "Restore to an empty folder, or over what is there: --force",
    );
  }
  return bringBack(job, plan, lock);
}

async function prepare(spec: CheckedSpec, options: RestoreOptions): Promise<RestoreJob | No> {
  const { to, sub } = checkPlaces(options);
  const target = new Target(spec, to);
  const found = await findCopy(spec, options.snapshotsIn);
  if (!found.ok) return found;
  const near = await target.requireApart();
  if (near) return near;
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
  const abilities: Abilities = { acls: true, xattrs: "all", nanoseconds: true };
  return { ok: true, spec, options, from, target, sub, abilities, warnings };
}

/** @throws {Fault} usage */
function checkPlaces({ to: wanted, path }: RestoreOptions) {
  const wrong = (what: string, remedy: string) => new Fault(what, { remedy, exitCode: EXIT.usage });
  if (!isAbsolute(wanted) || wanted.includes("\0")) {
    throw wrong(`${JSON.stringify(wanted)} is not an absolute path`, "Name a folder.");
  }
  const to = normalize(wanted).replace(/(.)\/+$/, "$1");
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
