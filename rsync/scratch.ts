// Where what is under way waits, on the disk.

import { join } from "node:path";
import { onDisk } from "./claim.ts";
import type { Job } from "./job.ts";
import type { DiskIdentity } from "./types.ts";

/** How long leftovers of an earlier run may take to be removed. */
const CLEANUP_MS = 10 * 60_000;

/**
 * Where unfinished files wait: outside of the copy, where a rename can bring them in from there,
 * and else in a folder inside of it. In a first copy, which is not whole before its end anyway, they
 * wait beside their places: rsync 3.5 walks the way to another folder once more at every step with
 * a file. One that is killed leaves one of them, and the next run knows it by its name.
 *
 * @returns the folder as seen from the scratch folder, and what rsync is told
 */
export function waitingRoom(
  { spec, site }: Job,
  place: "outside" | "inside" | "beside",
): { folder?: string; temporary?: string } {
  if (place === "beside") return {};
  if (place === "outside") {
    return {
      folder: join(spec.name, "tmp"),
      temporary: join(site.folder, spec.name, "tmp"),
    };
  }
  const temporary = unfinishedIn(site.recorded.disk);
  return { folder: join("../..", spec.below, temporary), temporary };
}

/** Name of the folder in a copy for unfinished files; nothing of that name is copied or compared. */
export function unfinishedIn(disk: DiskIdentity): string {
  return `.repoman-${disk.id}`;
}

/** Removes what this or an earlier run has left unfinished, beside the copies and in this one. */
export async function clearScratch({ spec, site, run }: Job): Promise<void> {
  const inside = join("../..", spec.below, unfinishedIn(site.recorded.disk));
  await onDisk(spec, site, ["rm", "-rf", "--", spec.name, inside], {
    timeoutMs: CLEANUP_MS,
    lockFd: run.lock?.fd,
    signal: run.signal,
  });
}

/** Where refs wait for their objects: on the disk, since only there it is known what is kept of them. */
export function aside(job: Job): string {
  return join(job.spec.name, "aside");
}
