import { isAbsolute, resolve } from "node:path";
import { expandHome, paths } from "../../host/paths.js";
import type { BackupSpec } from "../../rsync/index.ts";
import type { Snapshot } from "../../rsync/snapshots.ts";
import type { Copies } from "./copies.ts";

/** What `repoman restore` was told. */
export interface RestoreFlags {
  to?: string;
  path?: string;
  at?: string;
  snapshots?: string;
  from?: string;
  list?: boolean;
  dryRun?: boolean;
  force?: boolean;
  delete?: boolean;
  all?: boolean;
  stack?: string;
  yes?: boolean;
  json?: boolean;
}

/** One repository that is to be restored. */
export interface Task {
  spec: BackupSpec;
  to: string;
  snapshot: Snapshot | undefined;
}

/** A path that was typed. */
export function absolute(path: string, { setting }: Copies): string {
  const whole = expandHome(path, paths(setting.env).home);
  return isAbsolute(whole) ? whole : resolve(whole);
}
