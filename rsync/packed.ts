import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../host/fault.js";
import { onDisk } from "./claim.ts";
import { bytesOf, type GitFolder, objectsOf } from "./git.ts";
import type { Job } from "./job.ts";
import { NameList, namesIn } from "./names.ts";

/**
 * Deletes from the copy's object stores what the comparison at the beginning of the run found
 * gone, unless it is back. Only that: what has gone since then may hold objects that have moved
 * into a pack which is not copied yet.
 *
 * @returns how many were deleted
 */
export async function deletePacked(
  job: Job,
  folders: readonly GitFolder[],
  list: string,
): Promise<number> {
  const { spec, site } = job;
  const files = new NameList(join(job.work, "objects-gone"));
  const emptied = new NameList(join(job.work, "folders-gone"));
  let count = 0;
  for await (const name of namesIn(list)) {
    if (!folders.some((folder) => name.startsWith(objectsOf(folder)))) continue;
    if (await isThere(bytesOf(spec.source, name))) continue;
    count += 1;
    (name.endsWith("/") ? emptied : files).add(bytesOf(join("../..", spec.below), name));
  }
  const options = {
    timeoutMs: job.run.stallAfter,
    lockFd: job.run.lock?.fd,
    signal: job.run.signal,
  };
  const gone = files.end();
  if (gone !== undefined) {
    await onDisk(spec, site, ["xargs", "-0", "-a", gone, "rm", "-f", "--"], options);
  }
  const foldersGone = emptied.end();
  if (foldersGone !== undefined) {
    // One into which something was copied meanwhile stays, and so does one that is gone already.
    const rmdir = ["rmdir", "--ignore-fail-on-non-empty", "--"];
    await onDisk(spec, site, ["xargs", "-0", "-a", foldersGone, ...rmdir], options).catch(
      (error) => {
        if (!(error instanceof Fault)) throw error;
      },
    );
  }
  return count;
}

function isThere(path: Buffer): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
}
