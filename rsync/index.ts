/**
 * The backup engine: rsync does the copying, this decides whether it may.
 *
 * - `probe` looks at the disk and the way to a copy (bounded in time, changes nothing)
 * - `probeRoot` looks at the disk alone
 * - `pending` says what a run would do
 * - `mirror` does it, or refuses, and records the run
 * - `freshness` judges a record
 *
 * What only a person asks for is imported from its own file: `verify.ts` holds a copy against its
 * repository by checksums, `restore.ts` brings it back, `init.ts` makes a folder the backup root.
 */
export { freshness } from "./freshness.ts";
export { DECLARED, type DeclaredBackup, declarationIn, hostSpec } from "./host-spec.ts";
export { mirror, runFault } from "./mirror.ts";
export { pending } from "./pending.ts";
export { probe } from "./probe.ts";
export { readHistory, readRecord, readVerified, renameRecord, type Verified } from "./record.ts";
export { probeRoot, type RootSpec } from "./root.ts";
export type {
  BackupSpec,
  Counts,
  DiskIdentity,
  LastGood,
  MirrorOptions,
  MountFacts,
  Pending,
  Probe,
  Progress,
  Result,
  RunRecord,
} from "./types.ts";
