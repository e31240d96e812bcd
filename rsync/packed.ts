import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "./claim.ts";
import { bytesOf, countObjects, type GitFolder, join1 } from "./git.ts";
import type { Job } from "./job.ts";

/** Reads NUL-terminated names, bytes as latin1. */
async function* names(file: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(file)) {
    const parts = (rest + (chunk as Buffer).toString("latin1")).split("\0");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

const objectsOf = ({ path }: GitFolder) => `${join1(path, "objects")}/`;

/**
 * How many of the files that the copy would lose are objects that git has only packed or
 * pruned: those of stores where the source holds about as many objects as the copy.
 *
 * @param list file of NUL-terminated paths
 * @param places source and copy
 * @param allowedLoss in percent of the copy's objects
 */
export async function countRepacked(
  list: string,
  folders: readonly GitFolder[],
  places: { source: string; copy: string; allowedLoss: number; timeoutMs: number },
): Promise<number> {
  const deletions = new Map<GitFolder, number>();
  for await (const name of names(list)) {
    const folder = folders.find((candidate) => name.startsWith(objectsOf(candidate)));
    if (folder) deletions.set(folder, (deletions.get(folder) ?? 0) + 1);
  }
  let repacked = 0;
  for (const [folder, count] of deletions) {
    // A name that is not UTF-8 cannot be handed to a program from here; it gets no leniency.
    const path = Buffer.from(folder.path, "latin1").toString();
    const [inSource, onCopy] = await Promise.all([
      countObjects(join(places.source, path, "objects"), places.timeoutMs),
      countObjects(join(places.copy, path, "objects"), places.timeoutMs),
    ]);
    if (inSource === undefined || onCopy === undefined) continue;
    if (inSource * 100 >= onCopy * (100 - places.allowedLoss)) repacked += count;
  }
  return repacked;
}

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
  const accepted = join(job.work, "objects-gone");
  const stream = createWriteStream(accepted);
  await once(stream, "open");
  let count = 0;
  for await (const name of names(list)) {
    if (!folders.some((folder) => name.startsWith(objectsOf(folder)))) continue;
    if (await isThere(bytesOf(spec.source, name))) continue;
    count += 1;
    const path = Buffer.concat([bytesOf(join("../..", spec.below), name), Buffer.of(0)]);
    if (!stream.write(path)) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "close");
  if (count === 0) return 0;
  await onDisk(spec, site, ["xargs", "-0", "-a", accepted, "rm", "-df", "--"], {
    timeoutMs: job.run.stallAfter,
    lockFd: job.run.lock?.fd,
    signal: job.run.signal,
  });
  return count;
}

function isThere(path: Buffer): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
}
