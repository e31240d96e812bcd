import { hostname } from "node:os";
import { paths } from "../host/paths.js";
import type { BackupSpec } from "./types.ts";

/** What the registry says of a repository's copy: plain data, which is also kept in states. */
export const DECLARED = [
  "name",
  "source",
  "destination",
  "backupRoot",
  "maxAge",
  "expectedFstype",
  "expectedSource",
  "exclude",
  "repositoryExclude",
  "maxDelete",
  "maxDeletePercent",
  "minFilesPercent",
  "minBytesPercent",
] as const satisfies readonly (keyof BackupSpec)[];

export type DeclaredBackup = Pick<BackupSpec, (typeof DECLARED)[number]>;

/** Of some data that holds such a declaration, the declaration; what is not set is left out. */
export function declarationIn(data: DeclaredBackup): DeclaredBackup {
  const entries = DECLARED.flatMap((key) =>
    data[key] === undefined || data[key] === null ? [] : [[key, data[key]]],
  );
  return Object.fromEntries(entries) as unknown as DeclaredBackup;
}

/**
 * The same, with what holds for every copy on this host: whoever mirrors goes by the same rules.
 *
 * @param stackId the mark of the stack that owns the copies
 */
export function hostSpec(
  declared: DeclaredBackup,
  stackId: string,
  env: NodeJS.ProcessEnv = process.env,
): BackupSpec {
  return {
    ...declarationIn(declared),
    stackId,
    hostId: hostname(),
    recordsDir: paths(env).backupRecords,
    // Whoever works in the repository can write that file: it counts only where it was trusted.
    repositoryExclude: declared.repositoryExclude ?? "ignore",
  };
}
