import { join } from "node:path";
import { type Disk, type DiskRecord, diskRecordFile, MARKER } from "./disk.ts";
import type { BackupSpec, DiskIdentity, LastGood, MountFacts } from "./types.ts";

/** Why nothing may be written. */
export interface Refusal {
  result: "refused" | "unreachable";
  reason: string;
  remedy: string;
}

/** A refusal, or how the disk is known. */
export type Judgement =
  | ({ ok: false } & Refusal)
  /** `known`: as recorded; `marked`: by its marker only; `new`: no run has used it yet. */
  | { ok: true; standing: "known" | "marked" | "new" };

type Found = Extract<Disk, { ok: true }>;

/**
 * Whether the disk that was found is the one that is meant. Pure: what configuration expects to
 * be mounted is judged apart, since it matters for a new disk only.
 *
 * @param recorded what this host remembers of the disk at this backup root
 */
export function judgeDisk(
  spec: BackupSpec,
  found: Found,
  recorded: DiskRecord | "unreadable" | undefined,
): Judgement {
  if (recorded === "unreadable") {
    const file = diskRecordFile(spec.recordsDir, spec.backupRoot);
    return refuse(
      `The record ${file} of the backup disk cannot be read`,
      "If the right disk is mounted: repoman backup init --replace",
    );
  }
  const here = `${found.mount.fstype} from ${found.mount.source || "nothing"} at ${found.mount.mountPoint}`;
  const markerFile = join(found.root, MARKER);
  const wrongMount = unexpectedMount(spec, found, recorded);
  if (wrongMount) return refuse(`${wrongMount}, but found ${here}`, mountRemedy());

  const { marker } = found;
  if (marker === "unreadable") {
    return refuse(
      `The marker ${markerFile} is not one that repoman wrote`,
      "If the disk is the right one, delete that file and run it again.",
    );
  }
  if (marker && (marker.host !== spec.hostId || marker.stack !== spec.stackId)) {
    return refuse(
      `The backup disk at ${spec.backupRoot} belongs to host ${marker.host}, stack ${marker.stack}; ` +
        `this is host ${spec.hostId}, stack ${spec.stackId}`,
      `Choose another backup_root. If that host or stack is gone for good, delete ${markerFile}.`,
    );
  }
  if (!recorded) return { ok: true, standing: marker ? "marked" : "new" };
  if (!marker) {
    return refuse(
      `The marker ${MARKER} of disk ${recorded.disk.id} (${recorded.disk.fstype} from ` +
        `${recorded.disk.source}) is missing at ${spec.backupRoot}, where ${here} was found: ` +
        "is the disk mounted?",
      mountRemedy(),
    );
  }
  if (marker.id !== recorded.disk.id) {
    return refuse(
      `The disk at ${spec.backupRoot} is another one: its marker says ${marker.id}, expected ${recorded.disk.id}`,
      mountRemedy(),
    );
  }
  return { ok: true, standing: "known" };
}

function unexpectedMount(
  spec: BackupSpec,
  { mount }: Found,
  recorded: DiskRecord | undefined,
): string | undefined {
  const fstype = spec.expectedFstype ?? recorded?.disk.fstype;
  if (fstype !== undefined && fstype !== mount.fstype) {
    return `Expected ${fstype} from ${spec.expectedSource ?? recorded?.disk.source ?? "anywhere"} over ${spec.backupRoot}`;
  }
  const source = spec.expectedSource ?? recorded?.disk.source;
  if (source === undefined || source === mount.source) return undefined;
  if (spec.expectedSource === undefined && areLocal(source, mount.source)) return undefined;
  return `Expected ${fstype ?? "a file system"} from ${source} over ${spec.backupRoot}`;
}

function mountRemedy(): string {
  return (
    "Mount the backup disk. If what is there now is meant to be the backup disk from now on: " +
    "repoman backup init --replace"
  );
}

function refuse(reason: string, remedy: string): Judgement {
  return { ok: false, result: "refused", reason, remedy };
}

/** The kernel numbers local disks as it finds them: their names tell nothing, the marker does. */
function areLocal(one: string, other: string): boolean {
  return one.startsWith("/dev/") && other.startsWith("/dev/");
}

function isSameMount(was: MountFacts, is: MountFacts): boolean {
  const sameSource = was.source === is.source || areLocal(was.source, is.source);
  return was.mountPoint === is.mountPoint && was.fstype === is.fstype && sameSource;
}

/**
 * Whether the copy lies on the mount that it lay on at the last good run: on a disk with a file
 * system for each repository, one of them may be away while the disk itself is there.
 */
export function judgeDestination(
  spec: BackupSpec,
  mount: MountFacts,
  disk: DiskIdentity,
  last: LastGood | undefined,
): Refusal | undefined {
  if (!last || last.disk.id !== disk.id) return undefined;
  const sameDisk = last.disk.fstype === disk.fstype && last.disk.source === disk.source;
  const was = last.destinationMount;
  if (!sameDisk || isSameMount(was, mount)) return undefined;
  return {
    result: "refused",
    reason:
      `The copy ${spec.destination} lay on ${was.fstype} from ${was.source} mounted at ` +
      `${was.mountPoint} and would now be on ${mount.fstype} from ${mount.source} mounted at ` +
      mount.mountPoint,
    remedy: `Mount ${was.mountPoint}. If the change is meant, move ${spec.recordsDir}/${spec.name}.json away.`,
  };
}
