import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AskOptions, ask, CHDIR_FAILED, errorText, pinned } from "../host/child.ts";
import { EXIT, Fault } from "../host/fault.js";
import { writeFileAtomic } from "../host/files.js";
import { HeldLock, waitForLock } from "../host/lock.js";
import {
  type Abilities,
  type DiskRecord,
  diskRecordFile,
  identityOf,
  inspectDisk,
  MARKER,
  type Marker,
  SCRATCH,
  writeDiskRecord,
} from "./disk.ts";
import type { Refusal } from "./judge.ts";
import { findSite, type Site } from "./probe.ts";
import type { CheckedSpec } from "./spec.ts";

/** A disk that is marked and recorded. */
export interface ClaimedSite extends Site {
  recorded: DiskRecord;
  /** Folder on the disk, named by the marker's id, in which every writing process stands. */
  folder: string;
  /** Said at the claim only, so that it is said once. */
  notices: string[];
}

/**
 * Makes the disk ours where it is new, and remembers it. Runs that start at one time on one disk
 * take turns here.
 *
 * @param sourceDevice device number of the repository, to tell a disk from a plain folder
 * @throws {Fault} when the marker cannot be written
 */
export async function claimSite(
  spec: CheckedSpec,
  site: Site,
  sourceDevice: string,
): Promise<ClaimedSite | Exclude<Awaited<ReturnType<typeof findSite>>, Site>> {
  const { found, recorded } = site;
  const file = diskRecordFile(spec.recordsDir, spec.backupRoot);
  if (site.standing === "known" && recorded && typeof found.marker === "object") {
    const disk = identityOf(found.marker, found.mount);
    if (JSON.stringify(disk) !== JSON.stringify(recorded.disk)) {
      await writeDiskRecord(spec.recordsDir, { ...recorded, disk });
    }
    return {
      ...site,
      recorded: { ...recorded, disk },
      folder: folderOf(site, disk.id),
      notices: [],
    };
  }
  const lock = await waitForLock(`${file}.lock`, `pid ${process.pid}`, { timeoutMs: 60_000 });
  if (!(lock instanceof HeldLock)) {
    throw new Fault(`The backup disk at ${spec.backupRoot} is being set up by ${lock.holder}`, {
      remedy: "Wait until that run is through, then run it again.",
      exitCode: EXIT.conflict,
    });
  }
  try {
    const now = await findSite(spec, { fresh: true });
    if (!now.ok) return now;
    if (now.standing === "known" && now.recorded && now.disk) {
      return { ...now, recorded: now.recorded, folder: folderOf(now, now.disk.id), notices: [] };
    }
    return await adopt(spec, now, sourceDevice);
  } finally {
    lock.release();
  }
}

async function adopt(spec: CheckedSpec, site: Site, sourceDevice: string): Promise<ClaimedSite> {
  const notices: string[] = [];
  let { marker } = site.found;
  if (typeof marker !== "object") {
    marker = {
      schema: 1,
      id: randomBytes(16).toString("hex"),
      host: spec.hostId,
      stack: spec.stackId,
      created: new Date().toISOString(),
    };
    await writeMarker(spec, site, marker);
    // Another host may have been faster: what lies there now is what counts.
    const written = await inspectDisk(spec.backupRoot, spec.answerWithin, { fresh: true });
    if (!written.ok || typeof written.marker !== "object" || written.marker.id !== marker.id) {
      throw cannotClaim(spec, "the marker that was written is not the one that is read back");
    }
    if (site.found.device === sourceDevice) {
      notices.push(
        `${spec.backupRoot} is on the same file system as the repositories: not a separate disk`,
      );
    }
  }
  const disk = identityOf(marker, site.found.mount);
  const folder = folderOf(site, disk.id);
  await makeFolder(spec, folder);
  const abilities: Abilities = {
    acls: true,
    xattrs: "all",
    nanoseconds: await keepsNanoseconds(spec, folder),
  };
  const recorded: DiskRecord = { schema: 1, backupRoot: spec.backupRoot, disk, abilities };
  await writeDiskRecord(spec.recordsDir, recorded);
  return { ...site, standing: "known", disk, recorded, folder, notices };
}

function folderOf(site: Site, id: string): string {
  return join(site.found.root, SCRATCH, id);
}

function cannotClaim(spec: CheckedSpec, why: string): Fault {
  return new Fault(`The backup disk at ${spec.backupRoot} cannot be marked: ${why}`, {
    remedy: `Make ${spec.backupRoot} writable for this user.`,
  });
}

async function writeMarker(spec: CheckedSpec, site: Site, marker: Marker): Promise<void> {
  const local = join(dirname(spec.recordsDir), "disks", `.marker-${marker.id}`);
  const there = join(site.found.root, `${MARKER}.${marker.id}`);
  const final = join(site.found.root, MARKER);
  await mkdir(dirname(local), { recursive: true });
  await writeFileAtomic(local, `${JSON.stringify(marker, null, 2)}\n`, { mode: 0o644 });
  const { answerWithin: timeoutMs } = spec;
  const must = async (...argv: [string, ...string[]]) => {
    const answer = await ask(argv, { timeoutMs });
    if (answer.code !== 0) {
      throw cannotClaim(spec, answer.timedOut ? "it does not answer" : errorText(answer.stderr));
    }
  };
  try {
    await must("cp", "--", local, there);
    await must("sync", "--", there);
    // A link, unlike a rename, never replaces the marker of another host that came first.
    const linked = await ask(["ln", "-T", "--", there, final], { timeoutMs });
    if (linked.code !== 0) await must("mv", "-nT", "--", there, final);
  } finally {
    await rm(local, { force: true });
    await ask(["rm", "-f", "--", there], { timeoutMs });
  }
}

/**
 * Makes the folder that processes stand in. The marker has just been seen; should the disk go
 * away in this instant, an empty folder is left below its mount point.
 */
export async function makeFolder(spec: CheckedSpec, folder: string): Promise<void> {
  const made = await ask(["mkdir", "-p", "-m", "700", "--", folder], {
    timeoutMs: spec.answerWithin,
  });
  if (made.code !== 0) {
    throw cannotClaim(spec, made.timedOut ? "it does not answer" : errorText(made.stderr));
  }
}

/**
 * Makes the folder anew where it is missing although the marker is there.
 *
 * @throws {Refused} when the disk is no longer the right one
 */
export async function restoreFolder(spec: CheckedSpec, site: ClaimedSite): Promise<void> {
  const again = await findSite(spec, { fresh: true });
  if (!again.ok) throw new Refused(again);
  await makeFolder(spec, site.folder);
}

/** A refusal that is found in the middle of a run. */
export class Refused extends Fault {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason, { remedy: refusal.remedy });
    this.refusal = refusal;
  }
}

/** Asks the disk whether it keeps times finer than a second. */
async function keepsNanoseconds(spec: CheckedSpec, folder: string): Promise<boolean> {
  const timeoutMs = spec.answerWithin;
  const name = `probe-${randomBytes(6).toString("hex")}`;
  await ask(pinned(folder, ["touch", "-d", "@1000000000.123456789", "--", name]), { timeoutMs });
  const answer = await ask(pinned(folder, ["stat", "--printf=%.9Y", "--", name]), { timeoutMs });
  await ask(pinned(folder, ["rm", "-f", "--", name]), { timeoutMs });
  return answer.stdout.toString() === "1000000000.123456789";
}

/**
 * Runs a small program inside the disk's folder, and makes that folder anew where it is missing
 * although the marker is there.
 *
 * @returns its output
 * @throws {Fault} when it fails
 */
export async function onDisk(
  spec: CheckedSpec,
  site: ClaimedSite,
  argv: readonly string[],
  options: Partial<AskOptions> = {},
): Promise<string> {
  const timeoutMs = options.timeoutMs ?? spec.answerWithin;
  let answer = await ask(pinned(site.folder, argv), { ...options, timeoutMs });
  if (answer.code === CHDIR_FAILED) {
    await restoreFolder(spec, site);
    answer = await ask(pinned(site.folder, argv), { ...options, timeoutMs });
  }
  if (answer.code === 0) return answer.stdout.toString();
  throw new Fault(
    `${argv[0]} failed on the backup disk at ${spec.backupRoot}: ` +
      (answer.timedOut ? `no answer within ${timeoutMs / 1000} s` : errorText(answer.stderr)),
    { remedy: "Check that the disk is mounted read-write and has free space and inodes." },
  );
}
