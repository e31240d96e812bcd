import type { BackupSpec } from "../../rsync/index.ts";
import { newOutcome, type RunOutcome } from "../../rsync/outcome.ts";

/** A specification for what never touches a file system. */
export function plainSpec(changes: Partial<BackupSpec> = {}): BackupSpec {
  return {
    name: "demo",
    source: "/repos/demo",
    destination: "/backup/demo",
    backupRoot: "/backup",
    maxAge: 3600,
    hostId: "host-a",
    stackId: "stack-a",
    recordsDir: "/state/backups",
    ...changes,
  };
}

/** What a run of rsync came to in which nothing happened. */
export function plainOutcome(changes: Partial<RunOutcome> = {}): RunOutcome {
  return { ...newOutcome(), code: 0, ...changes };
}
