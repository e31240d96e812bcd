import { ask } from "../host/child.ts";
import { readMounts, topmostMount } from "../host/mountinfo.ts";
import { inspectDisk, readDiskRecord } from "./disk.ts";
import { judgeDisk, type Refusal } from "./judge.ts";
import { findDestination } from "./probe.ts";
import { findSnapshots, type Snapshot } from "./snapshots.ts";
import { type CheckedSpec, checkSpec } from "./spec.ts";
import type { BackupSpec } from "./types.ts";

/** A copy that can be read, and its older states. */
export interface CopyFound {
  ok: true;
  /** Absolute, without symbolic links; undefined where only older states may hold it. */
  copy: string | undefined;
  snapshots: Snapshot[];
  /** Such as that the disk is not the one that it was: reading harms nothing. */
  warnings: string[];
}

/** Why not. */
export type No = { ok: false } & (Refusal | { result: "failed"; reason: string; remedy: string });

export const no = (result: No["result"], reason: string, remedy: string): No => ({
  ok: false,
  result,
  reason,
  remedy,
});

/**
 * Looks for the copy of a repository and its older states. Changes nothing. To read from a disk
 * that belongs to another host, or to one that is lost, is what a restore is for: that is told, and
 * refused is only what is not there.
 */
export async function findCopy(given: BackupSpec, snapshotsIn?: string): Promise<CopyFound | No> {
  const spec = checkSpec(given);
  const found = await inspectDisk(spec.backupRoot, spec.answerWithin);
  if (!found.ok) return { ...found, result: "unreachable" };
  const recorded = await readDiskRecord(spec.recordsDir, spec.backupRoot);
  const judgement = judgeDisk(spec, found, recorded);
  const warnings = judgement.ok ? [] : [judgement.reason];
  const place = await findDestination(spec, found.root);
  if (!place.ok) return place;
  const { destination } = place;
  const top = topmostMount(readMounts(), destination)?.mountPoint ?? found.root;
  const snapshots = await findSnapshots(
    { destination, top, below: spec.below },
    spec.answerWithin,
    snapshotsIn,
  );
  const copy = place.device === undefined ? undefined : destination;
  if (copy === undefined && snapshots.length === 0) {
    return no(
      "refused",
      `There is no copy at ${destination}${judgement.ok ? "" : `: ${judgement.reason}`}`,
      judgement.ok ? "Look at what is on the disk; nothing was restored." : judgement.remedy,
    );
  }
  return { ok: true, copy, snapshots, warnings };
}

/** The folder that holds what is to be restored. */
export async function chooseFrom(
  spec: CheckedSpec,
  found: CopyFound,
  snapshot: Snapshot | undefined,
): Promise<string | No> {
  if (!snapshot) {
    if (found.copy !== undefined) return found.copy;
    return no(
      "refused",
      `There is no copy at ${spec.destination}, only older states of it`,
      "Choose one with --at.",
    );
  }
  const timeoutMs = spec.answerWithin;
  for (const place of snapshot.places) {
    // The dot makes the lookup enter it, which mounts a snapshot.
    const { code } = await ask(["stat", "--printf=x", "--", `${place}/.`], { timeoutMs });
    if (code === 0) return place;
  }
  return no(
    "refused",
    `The snapshot ${snapshot.name} does not hold ${spec.below}`,
    "Choose another; it may be older than the repository.",
  );
}
