// Reading the journal: what there is, and what comes.

import { type FSWatcher, unwatchFile, watch, watchFile } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JournalLine } from "../journal.ts";
import { JOURNAL, KEPT } from "../journal-file.ts";

/** The lines of the journal in a folder, the oldest first; what is no line of it is passed over. */
export async function readJournal(folder: string): Promise<JournalLine[]> {
  return [...(await readOlder(folder)), ...parseLines(await textOf(join(folder, JOURNAL)))];
}

/** Those of the journals that are full, the oldest first. */
async function readOlder(folder: string): Promise<JournalLine[]> {
  const lines: JournalLine[] = [];
  for (let number = KEPT; number >= 1; number--) {
    lines.push(...parseLines(await textOf(`${join(folder, JOURNAL)}.${number}`)));
  }
  return lines;
}

async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
    throw error;
  });
}

/** A line that its writer could not finish, or that somebody else put there, says nothing. */
export function parseLines(text: string): JournalLine[] {
  return text.split("\n").flatMap((line) => {
    try {
      const value = JSON.parse(line) as JournalLine;
      const good =
        typeof value.time === "string" &&
        typeof value.command === "string" &&
        Array.isArray(value.names) &&
        Number.isFinite(Date.parse(value.time));
      return good ? [value] : [];
    } catch {
      return [];
    }
  });
}

/** How often to look where the file system tells nothing of changes. */
const LOOK_MS = 1_000;

/**
 * Calls back with all lines that there are, once, and then with those that come, until the signal.
 * It is told of changes by the kernel; on file systems that cannot tell, it looks every second.
 *
 * @param folder is there
 */
export async function followJournal(
  folder: string,
  onLines: (lines: JournalLine[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const file = join(folder, JOURNAL);
  const older = await readOlder(folder);
  let ino = 0;
  let position = 0;
  let rest = "";
  let backlog: JournalLine[] | undefined = older;
  const give = (lines: JournalLine[]) => {
    if (backlog) backlog.push(...lines);
    else if (lines.length > 0) onLines(lines);
  };
  const take = async () => {
    for (;;) {
      const handle = await open(file, "r").catch(() => undefined);
      if (!handle) return;
      try {
        const now = await handle.stat();
        // A full journal made way for a new one; what was written to it last is read in its new place.
        if (now.ino !== ino) {
          if (ino !== 0) give(parseLines(rest + (await tail(`${file}.1`, position))));
          ino = now.ino;
          position = 0;
          rest = "";
        }
        if (now.size <= position) return;
        const buffer = Buffer.alloc(now.size - position);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
        if (bytesRead === 0) return;
        position += bytesRead;
        const text = rest + buffer.toString("utf8", 0, bytesRead);
        const end = text.lastIndexOf("\n") + 1;
        rest = text.slice(end);
        give(parseLines(text.slice(0, end)));
      } finally {
        await handle.close();
      }
    }
  };
  let turn = Promise.resolve();
  const changed = () => {
    turn = turn.then(take, take);
  };
  // The watch comes first: what is written meanwhile is then read once, and not missed.
  const stop = notify(folder, file, changed);
  changed();
  await turn;
  onLines(backlog);
  backlog = undefined;
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  stop();
  await turn;
}

async function tail(file: string, position: number): Promise<string> {
  return readFile(file).then(
    (content) => content.subarray(position).toString("utf8"),
    () => "",
  );
}

function notify(folder: string, file: string, changed: () => void): () => void {
  let watcher: FSWatcher | undefined;
  const look = () => watchFile(file, { interval: LOOK_MS }, changed);
  try {
    // The folder rather than the file: that is replaced by another when it is full.
    watcher = watch(folder, changed);
    watcher.on("error", look);
  } catch {
    look();
  }
  return () => {
    watcher?.close();
    unwatchFile(file, changed);
  };
}
