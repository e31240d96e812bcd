import type { ClaimedSite } from "./claim.ts";
import type { Abilities } from "./disk.ts";
import type { Excludes } from "./excludes.ts";
import type { RunOptions } from "./run.ts";
import type { CheckedSpec } from "./spec.ts";

/** One run's surroundings. */
export interface Job {
  spec: CheckedSpec;
  site: ClaimedSite;
  excludes: Excludes;
  /** Folder of this host for lists. */
  work: string;
  /** Lowered when the disk turns out not to keep something. */
  abilities: Abilities;
  run: RunOptions;
  /** Whether contents are compared instead of sizes and times. */
  checksum: boolean;
}
