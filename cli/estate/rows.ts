// One line for every project, and for every instance that no project accounts for.

import { paths } from "../../host/paths.js";
import { MARK } from "../../providers/ownership.ts";
import type { Problem } from "../../registry/types.ts";
import { type RunRecord, readRecord } from "../../rsync/index.ts";
import type { Difference, Drift, Orphan, ProjectState } from "../../survey/reconcile.ts";
import type { Context } from "../context.ts";
import type { Live } from "./live.ts";
import { trustMarks } from "./trust-marks.ts";

/** As `repoman list --json` prints it; null where it is not known or there is none. */
export interface Row {
  name: string;
  /** The server's word (`Running`, `Stopped`, …); null where there is no container. */
  state: string | null;
  address: string | null;
  /** Absolute path on the host. */
  repository: string | null;
  /** Absolute path inside. */
  path: string | null;
  image: string | null;
  profiles: string[];
  enabled: boolean;
  hermes: boolean;
  /** When the last good copy was begun, ISO 8601. */
  lastSync: string | null;
  /** The last run's result, such as `ok` or `failed`. */
  syncResult: string | null;
  drift: Drift | "orphan";
  differences: Difference[];
  /** Why it is not `ok`, where that takes words. */
  reason: string | null;
  /** What is to be known of the repository's own `.repoman.toml`: it asks, or changed since trusted. */
  trust: string | null;
}

export async function rowsOf({ registry, setting }: Context, live: Live): Promise<Row[]> {
  const records = paths(setting.env).backupRecords;
  const marks = trustMarks(registry.warnings, setting.env);
  const projects = live.projects.map(async (state) => {
    const { name } = state.project;
    return projectRow(state, live, await readRecord(records, name), marks.get(name));
  });
  return [...(await Promise.all(projects)), ...live.orphans.map((each) => orphanRow(each, live))];
}

function projectRow(
  { project, drift, instance, differences, reason }: ProjectState,
  { addresses }: Live,
  record: RunRecord | undefined,
  mark: Problem | undefined,
): Row {
  const { name, repo, path, image, profiles, enabled, hermes, backup } = project;
  return {
    name,
    state: instance?.status ?? null,
    address: (instance && addresses.get(instance.name)) ?? null,
    repository: repo,
    path,
    image,
    profiles,
    enabled,
    hermes,
    lastSync: (backup && record?.lastGood?.at) || null,
    syncResult: (backup && record?.result) || null,
    drift,
    differences,
    reason: reason ?? null,
    trust: mark?.what ?? null,
  };
}

/** Its marks are looked at only where this stack made it: others may write what they like. */
function orphanRow({ instance, own }: Orphan, { addresses }: Live): Row {
  const { name, status, profiles, config } = instance;
  return {
    name,
    state: status,
    address: addresses.get(name) ?? null,
    repository: null,
    path: null,
    image: (own ? config[MARK.image] : config["image.description"]) ?? null,
    profiles,
    enabled: false,
    hermes: false,
    lastSync: null,
    syncResult: null,
    drift: "orphan",
    differences: [],
    reason: own
      ? "it is no longer in the registry; `repoman up` deletes the container, never its repository or backup"
      : "repoman did not make it, and leaves it alone",
    trust: null,
  };
}
