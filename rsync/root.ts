import { findSite } from "./probe.ts";
import type { CheckedSpec } from "./spec.ts";
import type { BackupSpec, Probe } from "./types.ts";

/** A backup root, without regard to any one repository. */
export type RootSpec = Pick<
  BackupSpec,
  | "backupRoot"
  | "hostId"
  | "stackId"
  | "recordsDir"
  | "expectedFstype"
  | "expectedSource"
  | "answerWithin"
>;

/**
 * Whether the backup disk is there and the right one, whatever may be in the way of any one copy on
 * it: that fails this copy alone. Changes nothing and is bounded in time.
 *
 * @returns as `probe`; `copyExists` tells of the root itself
 */
export async function probeRoot(given: RootSpec): Promise<Probe> {
  const site = await findSite(rootSpec(given));
  if (!site.ok) return site;
  const { disk, mount } = site;
  return { ok: true, ...(disk && { disk }), mount, copyExists: true, warnings: [] };
}

/** As a specification of a copy at the top of the disk, which nothing is ever copied to. */
export function rootSpec(given: RootSpec): CheckedSpec {
  return {
    ...given,
    name: "backup-root",
    source: given.backupRoot,
    destination: given.backupRoot,
    below: "",
    maxAge: 0,
    maxDelete: 0,
    maxDeletePercent: 0,
    minFilesPercent: 0,
    minBytesPercent: 0,
    answerWithin: given.answerWithin ?? 20_000,
    stallAfter: 60_000,
  };
}
