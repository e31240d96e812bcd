import { lstatSync } from "node:fs";
import { join } from "node:path";
import { ask, errorText } from "../host/child.ts";
import { factsOf, isLocal, readMounts, topmostMount } from "../host/mountinfo.ts";
import { type Disk, type DiskRecord, identityOf, inspectDisk, readDiskRecord } from "./disk.ts";
import { findMissingMount } from "./expected.ts";
import { judgeDisk, type Refusal } from "./judge.ts";
import { type CheckedSpec, checkSpec } from "./spec.ts";
import type { BackupSpec, DiskIdentity, MountFacts, Probe } from "./types.ts";

/** A disk that may be used, and the copy's place on it. */
export interface Site {
  ok: true;
  found: Extract<Disk, { ok: true }>;
  standing: "known" | "marked" | "new";
  recorded: DiskRecord | undefined;
  disk: DiskIdentity | undefined;
  /** The destination without symbolic links. */
  destination: string;
  /** Device number of the destination; undefined while it is not there. */
  device: string | undefined;
  /** What is mounted over the destination. */
  mount: MountFacts;
  readOnly: boolean;
}

/**
 * Whether the backup disk is there and the right one, and whether the copy is on it. Changes
 * nothing and is bounded in time, so that a preview may ask.
 */
export async function probe(spec: BackupSpec): Promise<Probe> {
  const site = await findSite(checkSpec(spec));
  if (!site.ok) return site;
  return {
    ok: true,
    ...(site.disk && { disk: site.disk }),
    mount: site.mount,
    copyExists: site.device !== undefined,
    warnings: [],
  };
}

/**
 * The same with what a run needs besides.
 *
 * @param options.fresh asks the disk itself, though somebody has just asked
 * @param options.ignoreRecord judges the disk as if it were seen for the first time
 */
export async function findSite(
  spec: CheckedSpec,
  { fresh = false, ignoreRecord = false } = {},
): Promise<Site | ({ ok: false } & Refusal)> {
  const found = await inspectDisk(spec.backupRoot, spec.answerWithin, { fresh });
  if (!found.ok) return { ...found, result: "unreachable" };
  const recorded = ignoreRecord
    ? undefined
    : await readDiskRecord(spec.recordsDir, spec.backupRoot);
  const judgement = judgeDisk(spec, found, recorded);
  if (!judgement.ok) return judgement;
  if (judgement.standing === "new") {
    const missing =
      (await findMissingMount(spec.backupRoot, found.mounts)) ??
      (await findMissingMount(found.root, found.mounts));
    if (missing) {
      return {
        ok: false,
        result: "unreachable",
        reason:
          `${missing.file} says that ${missing.source ?? "a file system"} is mounted at ` +
          `${missing.mountPoint}, but it is not`,
        remedy: `Mount it (mount ${missing.mountPoint}), or take it out of ${missing.file}.`,
      };
    }
  }
  const place = await findDestination(spec, found.root);
  if (!place.ok) return place;
  const mounts = readMounts();
  const mount = topmostMount(mounts, place.destination) ?? found.mount;
  const { marker } = found;
  return {
    ok: true,
    found,
    standing: judgement.standing,
    recorded: recorded === "unreadable" ? undefined : recorded,
    disk:
      typeof marker === "object" && judgement.standing !== "new"
        ? identityOf(marker, found.mount)
        : undefined,
    destination: place.destination,
    device: place.device,
    mount: factsOf(mount),
    readOnly: mount.options.includes("ro"),
  };
}

type Place = { ok: true; destination: string; device: string | undefined };

/**
 * Looks at every folder between the backup root and the copy. A symbolic link there could have
 * come with an earlier copy, out of a container, and would lead rsync out of the disk.
 */
export async function findDestination(
  spec: CheckedSpec,
  root: string,
): Promise<Place | ({ ok: false } & Refusal)> {
  const names = spec.below.split("/");
  const folders = names.map((_, index) => join(root, ...names.slice(0, index + 1)));
  const destination = folders.at(-1) ?? root;
  const here = lookHere(folders);
  if (here) return here;
  const timeoutMs = spec.answerWithin;
  const answer = await ask(["stat", "--printf=%n\\0%F\\0%d\\0", "--", ...folders], { timeoutMs });
  if (answer.timedOut) {
    return {
      ok: false,
      result: "unreachable",
      reason: `The folder ${destination} does not answer within ${timeoutMs / 1000} s`,
      remedy: "Check the file server and the network, then run it again.",
    };
  }
  const fields = answer.stdout.toString().split("\0");
  let device: string | undefined;
  for (const [index, folder] of folders.entries()) {
    const [name, type, number] = fields.slice(index * 3, index * 3 + 3);
    if (name !== folder) {
      const trouble = errorText(answer.stderr);
      if (trouble === "No such file or directory")
        return { ok: true, destination, device: undefined };
      return {
        ok: false,
        result: "unreachable",
        reason: `The folder ${folder} cannot be reached: ${trouble}`,
        remedy: "Make it readable for this user, or check the disk.",
      };
    }
    if (type !== "directory") {
      return {
        ok: false,
        result: "refused",
        reason: `${folder} is not a directory but a ${type}`,
        remedy: "Move it away: the way to a copy may only lead through folders.",
      };
    }
    device = number;
  }
  return { ok: true, destination, device };
}

/** Looks from this process. @returns undefined where that may hang, or something is out of the ordinary */
function lookHere(folders: readonly string[]): Place | undefined {
  const destination = folders.at(-1) ?? "/";
  if (!isLocal(readMounts(), destination)) return undefined;
  let device: string | undefined;
  for (const folder of folders) {
    try {
      const stat = lstatSync(folder);
      if (!stat.isDirectory()) return undefined;
      device = String(stat.dev);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") return undefined;
      return { ok: true, destination, device: undefined };
    }
  }
  return { ok: true, destination, device };
}
