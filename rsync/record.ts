import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../host/files.js";
import type { RunRecord } from "./types.ts";

const mountFacts = z.object({ mountPoint: z.string(), fstype: z.string(), source: z.string() });
const disk = mountFacts.extend({ id: z.string() });
const recordShape = z.object({
  schema: z.literal(1),
  name: z.string(),
  source: z.string(),
  destination: z.string(),
  result: z.enum(["ok", "ok-vanished", "partial", "refused", "unreachable", "failed"]),
  reason: z.string().optional(),
  remedy: z.string().optional(),
  startedAt: z.string(),
  endedAt: z.string(),
  seconds: z.number(),
  counts: z.object({
    files: z.number(),
    bytes: z.number(),
    created: z.number(),
    deleted: z.number(),
    copied: z.number(),
    copiedBytes: z.number(),
  }),
  failures: z.array(z.string()),
  warnings: z.array(z.string()),
  disk: disk.optional(),
  lastGood: z
    .object({
      at: z.string(),
      files: z.number(),
      bytes: z.number(),
      disk,
      destinationMount: mountFacts,
      sourceMount: mountFacts,
    })
    .optional(),
});

const verifiedShape = z.object({
  schema: z.literal(1),
  /** When it began, ISO 8601. */
  at: z.string(),
  seconds: z.number(),
  /** The share of files that was to be read, in percent. */
  sample: z.number(),
  /** Files and bytes whose content was read, on each side. */
  files: z.number(),
  bytes: z.number(),
  /** Of so many that seemed alike. */
  ofFiles: z.number(),
  ofBytes: z.number(),
  /** Entries that should be alike and are not. */
  different: z.number(),
  /** Entries that the repository has changed since the last good run. */
  changedSince: z.number(),
  /** rsync's messages about what could not be read. */
  unread: z.array(z.string()),
});
/** What the last verification of a copy came to. */
export type Verified = z.infer<typeof verifiedShape>;

/** Where the history of one repository's runs is cut to its newer half, in bytes. */
const HISTORY_LIMIT = 4 << 20;

const recordFile = (recordsDir: string, name: string) => join(recordsDir, `${name}.json`);
const historyFile = (recordsDir: string, name: string) => join(recordsDir, `${name}.history.jsonl`);

export const verifiedFile = (recordsDir: string, name: string) =>
  join(recordsDir, `${name}.verified.json`);

/** @returns undefined where a copy was never verified, or nobody can tell */
export async function readVerified(
  recordsDir: string,
  name: string,
): Promise<Verified | undefined> {
  const text = await readFile(verifiedFile(recordsDir, name), "utf8").catch(() => "");
  try {
    return verifiedShape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The record of a repository's last run.
 *
 * @returns undefined when there is none, or one that cannot be read as such: then nothing is
 *   known of the copy, which is the careful assumption
 */
export async function readRecord(recordsDir: string, name: string): Promise<RunRecord | undefined> {
  try {
    return parseRecord(readFileSync(recordFile(recordsDir, name), "utf8"));
  } catch {
    return undefined;
  }
}

/** Changes whenever the record of a repository's last run is replaced. */
export function recordVersion(recordsDir: string, name: string): string {
  const stat = statSync(recordFile(recordsDir, name), { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.mtimeNs} ${stat.size}` : "";
}

function parseRecord(text: string): RunRecord | undefined {
  try {
    return recordShape.parse(JSON.parse(text)) as RunRecord;
  } catch {
    return undefined;
  }
}

/**
 * The runs of a repository, oldest first. A line that was torn by a crash is left out.
 */
export async function readHistory(recordsDir: string, name: string): Promise<RunRecord[]> {
  const text = await readFile(historyFile(recordsDir, name), "utf8").catch(() => "");
  return text
    .split("\n")
    .map(parseRecord)
    .filter((record) => record !== undefined);
}

/** Replaces the record of the last run. */
export async function writeRecord(recordsDir: string, record: RunRecord): Promise<void> {
  await writeFileAtomic(
    recordFile(recordsDir, record.name),
    `${JSON.stringify(record, null, 2)}\n`,
    { mode: 0o600 },
  );
}

/**
 * Gives what is recorded of a repository's runs to the new name of its project; what is recorded
 * under that already is newer, and stays. The old names are forgotten last, so that it can be cut
 * off and done again.
 */
export async function renameRecord(recordsDir: string, from: string, to: string): Promise<void> {
  const record = await readRecord(recordsDir, from);
  if (record && !(await readRecord(recordsDir, to))) {
    await writeRecord(recordsDir, { ...record, name: to });
  }
  const older = await readHistory(recordsDir, from);
  if (older.length > 0) {
    const newer = await readHistory(recordsDir, to);
    const renamed = older.map((run) => ({ ...run, name: to }));
    const known = new Set(newer.map((run) => run.startedAt));
    const all = [...renamed.filter((run) => !known.has(run.startedAt)), ...newer];
    const lines = all.map((run) => `${JSON.stringify(run)}\n`).join("");
    await writeFileAtomic(historyFile(recordsDir, to), lines, { mode: 0o600 });
  }
  await rm(recordFile(recordsDir, from), { force: true });
  await rm(historyFile(recordsDir, from), { force: true });
}

/** Adds a finished run to the history. The caller holds the repository's lock. */
export async function appendHistory(recordsDir: string, record: RunRecord): Promise<void> {
  const file = historyFile(recordsDir, record.name);
  const fd = openSync(file, "a+", 0o600);
  let size: number;
  try {
    ({ size } = fstatSync(fd));
    const last = Buffer.alloc(1);
    if (size > 0) readSync(fd, last, 0, 1, size - 1);
    // After a torn line a new one begins, so that only the torn one is lost.
    const torn = size > 0 && last[0] !== 0x0a;
    appendFileSync(fd, `${torn ? "\n" : ""}${JSON.stringify(record)}\n`);
  } finally {
    closeSync(fd);
  }
  if (size > HISTORY_LIMIT) {
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFileAtomic(file, lines.slice(lines.length >> 1).join("\n"), { mode: 0o600 });
  }
}
