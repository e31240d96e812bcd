import type { End } from "./end.ts";
import type { Snapshot } from "./snapshots.ts";
import type { Progress } from "./types.ts";

export interface RestoreOptions {
  /** The folder to restore into, absolute. */
  to: string;
  /** Only this file or folder of the repository: a path below it. */
  path?: string | undefined;
  /** An older state instead of the copy as it is. */
  snapshot?: Snapshot | undefined;
  /** Goes over what is in the folder already; what the copy does not have stays, unless … */
  overwrite?: boolean | undefined;
  /** … it is told to go. */
  deleteExtra?: boolean | undefined;
  /** A folder of dated copies of the disk, absolute. */
  snapshotsIn?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** What is in the folder; `unfinished`: a restore that broke off, or is at work, left it so. */
export type TargetState = "absent" | "empty" | "filled" | "unfinished";

/** What a restore would do. */
export interface RestorePlan {
  ok: true;
  from: string;
  to: string;
  target: TargetState;
  /** Entries to be made or changed, the first of them, and what is to be copied. */
  changes: number;
  changing: string[];
  files: number;
  bytes: number;
  /** Entries of the folder that the copy does not have, and the first of them. */
  extra: number;
  extras: string[];
  warnings: string[];
}

/** What a restore came to. */
export interface Restored extends End {
  ok: true;
  from: string;
  to: string;
  files: number;
  bytes: number;
  deleted: number;
  failures: string[];
  warnings: string[];
  /** What is not as on the copy after all, as rsync prints it (at most 20); empty when all is well. */
  different: string[];
}
