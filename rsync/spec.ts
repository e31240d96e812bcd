import { isAbsolute, join, normalize, relative } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { isWithin } from "../host/mountinfo.ts";
import { MARKER, SCRATCH } from "./disk.ts";
import type { BackupSpec } from "./types.ts";

/** A specification whose paths are normalised and whose limits are set. */
export interface CheckedSpec extends BackupSpec {
  /** The destination below the backup root, without leading slash. */
  below: string;
  maxDelete: number;
  maxDeletePercent: number;
  minFilesPercent: number;
  minBytesPercent: number;
  answerWithin: number;
  stallAfter: number;
}

/**
 * Fills in what is not set and refuses what cannot be meant.
 *
 * @throws {Fault} usage: a name that is no file name, a path that is not absolute, source and
 *   destination inside each other, a destination that is not strictly inside the backup root
 */
export function checkSpec(spec: BackupSpec): CheckedSpec {
  const wrong = (what: string, remedy: string) =>
    new Fault(`Backup ${JSON.stringify(spec.name)}: ${what}`, { remedy, exitCode: EXIT.usage });
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(spec.name)) {
    throw wrong("the name cannot name files", "Use letters, digits, dots, dashes, underscores.");
  }
  const path = (key: "source" | "destination" | "backupRoot" | "recordsDir") => {
    const value = spec[key];
    if (!isAbsolute(value) || value.includes("\0")) {
      throw wrong(`${key} ${JSON.stringify(value)} is not an absolute path`, `Give ${key} as one.`);
    }
    return normalize(value).replace(/(.)\/+$/, "$1");
  };
  const source = path("source");
  const destination = path("destination");
  const backupRoot = path("backupRoot");
  const recordsDir = path("recordsDir");
  const below = relative(backupRoot, destination);
  if (!isWithin(destination, backupRoot) || below === "") {
    throw wrong(
      `the copy's place ${destination} is not below the backup root ${backupRoot}`,
      "Put the repository into a folder of its own below repos_root.",
    );
  }
  if ([SCRATCH, MARKER].includes(below.split("/")[0] ?? "")) {
    throw wrong(
      `${join(backupRoot, SCRATCH)} and ${MARKER} are repoman's own`,
      "Rename the repository's folder.",
    );
  }
  if (isWithin(source, destination) || isWithin(destination, source)) {
    throw wrong(
      `the repository ${source} and its copy ${destination} lie inside each other`,
      "Set backup_root to a folder outside the repositories.",
    );
  }
  return {
    ...spec,
    source,
    destination,
    backupRoot,
    recordsDir,
    below,
    maxDelete: spec.maxDelete ?? 1000,
    maxDeletePercent: spec.maxDeletePercent ?? 25,
    minFilesPercent: spec.minFilesPercent ?? 50,
    minBytesPercent: spec.minBytesPercent ?? 10,
    answerWithin: spec.answerWithin ?? 20_000,
    stallAfter: spec.stallAfter ?? 15 * 60_000,
  };
}
