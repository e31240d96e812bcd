// What repositories ask for themselves, and what of it counts.

import { check } from "./check.ts";
import { parseDocument } from "./document.ts";
import { Findings } from "./findings.ts";
import { reportSyntax } from "./overrides.ts";
import type { Layer } from "./precedence.ts";
import { repositorySchema } from "./project-schema.ts";
import { decode } from "./read.ts";
import { count, quote } from "./text.ts";
import {
  REPOSITORY_EXCLUDES,
  REPOSITORY_FILE,
  readApprovedFile,
  readUntrusted,
  type TrustKey,
} from "./trust.ts";
import type { Problem } from "./types.ts";

/** What was approved of a repository's `.repoman.toml`: the text, and where it is kept. */
export interface Approved {
  /** Absolute path of the copy, outside the repository. */
  file: string;
  text: string;
  /** How many lines of that file come before the text. */
  linesBefore?: number;
}

/** What counts of a repository's own file, and what to know about the rest. */
export interface Wishes {
  layer?: Layer;
  warnings: Problem[];
}

const NO_WISHES: Wishes = { warnings: [] };

/**
 * The same for a project of the registry, with what was agreed with as it is on record.
 *
 * @param given what was approved, in place of the record; null for nothing
 */
export async function wishesOf(key: TrustKey, given: Approved | null | undefined): Promise<Wishes> {
  const { project, repo } = key;
  if (given !== undefined) return readRepositoryLayer(project, repo, given ?? undefined);
  const { approved, warnings } = await approvedLayer(key);
  const read = await readRepositoryLayer(project, repo, approved);
  return { ...read, warnings: [...warnings, ...read.warnings] };
}

/** The record of what was agreed with, as far as it can be relied on. */
async function approvedLayer(
  key: TrustKey,
): Promise<{ approved: Approved | undefined; warnings: Problem[] }> {
  const record = await readApprovedFile(key, REPOSITORY_FILE);
  if (!record) return { approved: undefined, ...NO_WISHES };
  const text = "bytes" in record ? decode(record.bytes) : undefined;
  if (text !== undefined) {
    return { approved: { file: record.file, text, linesBefore: 1 }, ...NO_WISHES };
  }
  const why = "damaged" in record ? record.damaged : "is not UTF-8 text";
  return { approved: undefined, warnings: [damaged(key, record.file, REPOSITORY_FILE, why)] };
}

function damaged({ project }: TrustKey, file: string, about: string, why: string): Problem {
  return {
    file,
    what: `project ${quote(project)}: the record of what was trusted of its ${about} ${why}, so nothing is`,
    remedy: look(project),
    project,
  };
}

function look(project: string): string {
  return `\`repoman trust ${project}\` shows what it asks for, and approves it`;
}

/**
 * What a repository asks for itself, as far as it counts. Only text that was approved counts;
 * anything else is told of in a warning and has no effect, and can never fail the run: whoever is
 * at work in the container can write it.
 *
 * @param name the project
 * @param repo absolute path of the repository on the host
 */
export async function readRepositoryLayer(
  name: string,
  repo: string,
  approved: Approved | undefined,
): Promise<Wishes> {
  const reading = await readUntrusted(repo, REPOSITORY_FILE);
  const { file } = reading;
  const warn = (what: string, remedy: string): Problem => ({
    file,
    what: `project ${quote(name)}: ${what}`,
    remedy,
    project: name,
  });
  const warnings: Problem[] = [];
  const holds = approved ? ", and what was trusted holds" : "";
  if ("silent" in reading) {
    // That of the repository itself is for whoever looks at the host to say; what was trusted holds.
  } else if ("refused" in reading) {
    const what = `its ${REPOSITORY_FILE} ${reading.refused}, so it is ignored${holds}`;
    warnings.push(warn(what, "remove it"));
  } else if ("missing" in reading) {
    const remedy = `\`repoman trust ${name} --revoke\` takes it back`;
    if (approved) warnings.push(warn(`its ${REPOSITORY_FILE} is gone${holds}`, remedy));
  } else {
    const current = decode(reading.bytes);
    if (current === undefined) {
      const what = `its ${REPOSITORY_FILE} is not UTF-8 text, so it is ignored${holds}`;
      warnings.push(warn(what, "remove it"));
    } else if (current !== approved?.text) {
      const { keys, broken } = await examine(file, current, name);
      const since = approved ? `changed since it was trusted${holds}` : "ignored";
      const subject = `project ${quote(name)}: `;
      if (broken) {
        const reason = broken.what.replace(subject, "");
        const what = `its ${REPOSITORY_FILE} is ${since}: ${reason}`;
        warnings.push({ ...broken, ...warn(what, broken.remedy) });
      } else if (keys.length > 0 || approved) {
        const asks = `its ${REPOSITORY_FILE} asks for ${keys.join(", ") || "nothing"}`;
        warnings.push(warn(`${asks} and is ${since}`, look(name)));
      }
    }
  }
  if (!approved) return { warnings };
  const lead = "\n".repeat(approved.linesBefore ?? 0);
  const document = parseDocument(approved.file, lead + approved.text, name);
  const data = check(repositorySchema, document, new Findings());
  return { layer: { document, base: [], data }, warnings };
}

/** The keys that a file sets, which are words that repoman knows, and its faults. */
export async function examine(file: string, text: string, name: string) {
  const document = parseDocument(file, text, name);
  const findings = new Findings();
  reportSyntax(document, findings);
  const known = check(repositorySchema, document, findings);
  const problems = await findings.locate([file]);
  return { keys: Object.keys(known).sort(), broken: problems[0], problems };
}

/**
 * What to know about a repository's `.repoman-exclude`. What it asks for counts for the backup
 * alone, which reads it by itself (`readApprovedFile`).
 */
export async function excludeWarnings(key: TrustKey): Promise<Problem[]> {
  const { project, repo } = key;
  const [reading, record] = await Promise.all([
    readUntrusted(repo, REPOSITORY_EXCLUDES),
    readApprovedFile(key, REPOSITORY_EXCLUDES),
  ]);
  if (record && "damaged" in record)
    return [damaged(key, record.file, REPOSITORY_EXCLUDES, record.damaged)];
  if ("silent" in reading) return [];
  const warn = (what: string, remedy: string): Problem => ({
    file: reading.file,
    what: `project ${quote(project)}: its ${REPOSITORY_EXCLUDES} ${what}`,
    remedy,
    project,
  });
  const holds = record ? ", and what was trusted holds" : "";
  if ("refused" in reading)
    return [warn(`${reading.refused}, so it is ignored${holds}`, "remove it")];
  if ("missing" in reading) {
    if (!record) return [];
    return [warn(`is gone${holds}`, `\`repoman trust ${project} --revoke\` takes it back`)];
  }
  if (record?.bytes.equals(reading.bytes)) return [];
  const patterns = excludeLines(reading.bytes).length;
  if (patterns === 0 && !record) return [];
  const since = record ? `changed since it was trusted${holds}` : "ignored";
  return [warn(`has ${count(patterns, "pattern")} and is ${since}`, look(project))];
}

/** The lines of a `.repoman-exclude` that are not comments; bytes as latin1, as rsync has them. */
export function excludeLines(bytes: Buffer): string[] {
  const lines = bytes.toString("latin1").split(/\r?\n/);
  return lines.filter((line) => line !== "" && !/^[#;]/.test(line));
}
