// The journal's file: appended to by several processes at once, and turned over when it is full.

import { mkdir, open, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { HeldLock, tryLock } from "../host/lock.js";

export const JOURNAL = "repoman.jsonl";

/** A journal of this size makes way for a new one. */
const FULL_BYTES = 5_000_000;
/** So many full ones are kept: `repoman.jsonl.1` is the youngest. */
export const KEPT = 4;

/** One write to a file opened for appending: lines of several processes do not mix. */
export async function appendLine(
  folder: string,
  line: object,
  fullBytes = FULL_BYTES,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, JOURNAL);
  await rotate(folder, file, fullBytes);
  const handle = await open(file, "a", 0o600);
  try {
    await handle.write(Buffer.from(`${JSON.stringify(line)}\n`));
  } finally {
    await handle.close();
  }
}

/** Whoever has the file open meanwhile writes on into the one that was renamed: nothing is lost. */
async function rotate(folder: string, file: string, fullBytes: number): Promise<void> {
  if (!(await isFull(file, fullBytes))) return;
  const lock = tryLock(join(folder, `.${JOURNAL}.lock`), `pid ${process.pid}`);
  if (!(lock instanceof HeldLock)) return;
  try {
    if (!(await isFull(file, fullBytes))) return;
    for (let number = KEPT - 1; number >= 1; number--) {
      await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(absent);
    }
    await rename(file, `${file}.1`).catch(absent);
  } finally {
    lock.release();
  }
}

async function isFull(file: string, fullBytes: number): Promise<boolean> {
  return stat(file).then(
    ({ size }) => size >= fullBytes,
    () => false,
  );
}

function absent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
