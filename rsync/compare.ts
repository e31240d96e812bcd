import { join } from "node:path";
import { commonArgs } from "./command.ts";
import type { Abilities } from "./disk.ts";
import { NameList } from "./names.ts";
import type { RunOutcome } from "./outcome.ts";
import { ITEM_FORMAT, type Item, nameBytes } from "./output.ts";
import { type RunOptions, runRsync } from "./run.ts";
import type { Counts } from "./types.ts";

/** What a dry run of rsync over the whole repository found. */
export interface Found {
  outcome: RunOutcome;
  counts: Counts;
  /** Everything that is not as it should be on the copy, deletions included. */
  items: number;
  deletions: number;
  /** Of these, files that are named as rsync names what it has not finished. */
  unfinished: number;
  /** The first names to be deleted, as rsync prints them. */
  deleting: string[];
  /** File of NUL-terminated paths to be deleted that have a folder `objects` in them, if any. */
  objectDeletions: string | undefined;
  /** Folders with something pending, as bytes in latin1; `many` when there are too many to keep. */
  folders: Set<string> | "many";
}

/** Up to so many files are listed whole before they are compared, which takes rsync less than by folder. */
const FEW_FILES = 50_000;
/** `.name.Xy12zA`; a folder would end with a slash. */
const UNFINISHED = /(^|\/)\.[^/]+\.[A-Za-z0-9]{6}$/;
const KEPT_NAMES = 50;
const KEPT_FOLDERS = 1000;

/**
 * Compares source and copy without changing either.
 *
 * @param paths.work folder of this host for the lists; made when there is one
 * @param paths.unfinished name in the copy that is no part of it
 */
export async function compare(
  paths: { source: string; destination: string; work: string; unfinished: string | undefined },
  abilities: Abilities,
  options: RunOptions & { noDelete: boolean; checksum: boolean; expectedFiles: number },
): Promise<Found> {
  const found: Omit<Found, "outcome" | "counts"> = {
    items: 0,
    deletions: 0,
    unfinished: 0,
    deleting: [],
    objectDeletions: undefined,
    folders: new Set(),
  };
  const list = new NameList(join(paths.work, "object-deletions"));
  const outcome = await runRsync(
    [
      "--dry-run",
      ...(options.expectedFiles <= FEW_FILES ? ["--no-inc-recursive"] : []),
      ...commonArgs(abilities),
      ...(paths.unfinished === undefined ? [] : [`--exclude=/${paths.unfinished}`]),
      // Nothing is deleted here, so the quickest way of looking for it will do.
      ...(options.noDelete ? [] : ["--delete-during"]),
      ...(options.checksum ? ["--checksum"] : []),
      `--out-format=${ITEM_FORMAT}`,
      "--",
      `${paths.source}/`,
      `${paths.destination}/`,
    ],
    { ...options, onItem: (item) => note(item, found, list) },
  );
  found.objectDeletions = list.end();
  return { ...found, outcome, counts: { ...outcome.counts, deleted: found.deletions } };
}

function note(item: Item, found: Omit<Found, "outcome" | "counts">, list: NameList): void {
  found.items += 1;
  if (found.folders !== "many") {
    const name = nameBytes(item.name).toString("latin1");
    found.folders.add(name.slice(0, Math.max(0, name.lastIndexOf("/"))));
    if (found.folders.size > KEPT_FOLDERS) found.folders = "many";
  }
  if (!item.deleted) return;
  found.deletions += 1;
  if (found.deleting.length < KEPT_NAMES) found.deleting.push(item.name);
  if (UNFINISHED.test(item.name)) found.unfinished += 1;
  if (/(^|\/)objects\//.test(item.name)) {
    list.add(nameBytes(item.name));
  }
}
