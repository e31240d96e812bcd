import { hostname } from "node:os";
import { paths } from "../host/paths.js";
import type { BackupSpec } from "./types.ts";

/** What the registry says of a repository's copy. */
export interface DeclaredBackup
  extends Pick<BackupSpec, "name" | "source" | "destination" | "backupRoot" | "maxAge"> {
  /** The mark of the stack that owns the copies. */
  stackId: string;
}

/** The same, with what holds for every copy on this host: whoever mirrors goes by the same rules. */
export function hostSpec(
  declared: DeclaredBackup,
  env: NodeJS.ProcessEnv = process.env,
): BackupSpec {
  return {
    ...declared,
    hostId: hostname(),
    recordsDir: paths(env).backupRecords,
    // Whoever works in the repository can write this file; nobody has said yet that it may count.
    repositoryExclude: "ignore",
  };
}
