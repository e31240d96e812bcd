import { dirname, join, relative } from "node:path";
import { ask } from "../host/child.ts";

/** An older copy of a whole disk: a snapshot of the file server's, or a folder with a date. */
export interface Snapshot {
  /** As its folder is called. */
  name: string;
  /** When it was made, ms since the epoch: as its name says, else as its folder does. */
  at: number;
  /** Where this copy lies in it: absolute paths, the first that is there counts. */
  places: string[];
}

/** Folders in which file servers and people keep snapshots. */
const USUAL = [".zfs/snapshot", ".snapshot", ".snapshots", "snapshots"];
const MOST = 16 << 20;

/**
 * Looks for older copies of a folder on a backup disk: below each folder from the copy up to its
 * mount point for what file servers offer there, and in a folder that is named. Changes nothing,
 * and is bounded in time; the snapshots themselves are not entered, since that may mount each.
 *
 * @param place.destination the copy, absolute and without symbolic links
 * @param place.top the mount point above it
 * @param place.below the copy's path below the backup root
 * @param folder of dated copies of the disk, absolute; looked through instead of the usual places
 * @returns the newest first
 */
export async function findSnapshots(
  place: { destination: string; top: string; below: string },
  timeoutMs: number,
  folder?: string,
): Promise<Snapshot[]> {
  const found = new Map<string, Snapshot>();
  const add = async (holder: string, base: string) => {
    for (const { name, at } of await listFolder(holder, timeoutMs)) {
      const within = join(holder, name);
      const places = [join(within, relative(base, place.destination))];
      if (folder) places.push(join(within, place.below), join(within, place.destination));
      const known = found.get(name);
      if (known) known.places.push(...places);
      else found.set(name, { name, at: dateIn(name) ?? at, places });
    }
  };
  if (folder) await add(folder, place.top);
  else {
    for (let base = place.destination; ; base = dirname(base)) {
      for (const usual of USUAL) await add(join(base, usual), base);
      if (base === place.top || base === "/") break;
    }
  }
  return [...found.values()].sort((a, b) => b.at - a.at || (a.name < b.name ? 1 : -1));
}

async function listFolder(folder: string, timeoutMs: number) {
  const { stdout } = await ask(
    ["find", folder, "-mindepth", "1", "-maxdepth", "1", "-type", "d", "-printf", "%f\\0%T@\\0"],
    { timeoutMs, maxOutput: MOST },
  );
  const fields = stdout.toString().split("\0");
  const entries: { name: string; at: number }[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    entries.push({ name: fields[i] ?? "", at: Number(fields[i + 1]) * 1000 });
  }
  return entries;
}

/**
 * The date in a snapshot's name, as sanoid, zfs-auto-snapshot, snapper, Samba and people write it:
 * `autosnap_2026-04-28_00:15:01_daily`, `zfs-auto-snap_hourly-2026-04-28-0017`, `20260428T2017`.
 *
 * @returns ms since the epoch, in UTC where the name says so (`Z`, `GMT-`), else in local time
 */
export function dateIn(name: string): number | undefined {
  const match =
    /(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})(?:[-_.T ]?(\d{2})[-:.h]?(\d{2})(?:[-:.m]?(\d{2}))?(Z)?)?(?!\d)/.exec(
      name,
    );
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((text) => Number(text ?? 0));
  if (year < 1990 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const utc = match[7] !== undefined || /GMT|UTC/.test(name);
  const time = utc
    ? Date.UTC(year, month - 1, day, hour, minute, second)
    : new Date(year, month - 1, day, hour, minute, second).getTime();
  return Number.isNaN(time) ? undefined : time;
}

/**
 * The snapshot that is meant: by its name, or the newest one at or before a moment.
 *
 * @param wanted a name, or a date such as `2026-04-28` (its end) or `2026-04-28 20:17`
 * @param snapshots the newest first
 */
export function chooseSnapshot(
  wanted: string,
  snapshots: readonly Snapshot[],
): Snapshot | undefined {
  const named = snapshots.find(({ name }) => name === wanted);
  if (named) return named;
  if (!/^\d{4}-?\d{2}-?\d{2}([T _-]?\d{2}:?\d{2}(:?\d{2})?Z?)?$/.test(wanted)) return undefined;
  const moment = dateIn(wanted);
  if (moment === undefined) return undefined;
  const wholeDay = /^\d{4}-?\d{2}-?\d{2}$/.test(wanted);
  const until = wholeDay ? moment + 24 * 3600_000 - 1 : moment;
  return snapshots.find(({ at }) => at <= until);
}
