import type { BackupSpec } from "../../rsync/index.ts";

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
