import { constants, open } from "node:fs/promises";
import { join } from "node:path";
import type { CheckedSpec } from "./spec.ts";

/** The file in a repository by which it may ask that something is not copied. */
export const EXCLUDE_FILE = ".repoman-exclude";

const MAX_BYTES = 64 * 1024;
const MAX_PATTERNS = 1000;
const MAX_LENGTH = 1024;
/** Wildcards make matching slow when there are many in one pattern. */
const MAX_WILDCARDS = 8;

export interface Excludes {
  patterns: string[];
  warnings: string[];
}

/**
 * Reads plain exclude patterns, one a line, from a file that anybody in a container can write.
 *
 * rsync's own `--exclude-from` would also obey `+ pattern` (copy in spite of the registry), `!`
 * (forget all rules so far, which then deletes the copies of what they protected). Such lines
 * are left out with a warning. All others are taken as names, whatever they look like: rsync gets
 * them behind an explicit `- `, where no other rule, modifier or merge file can follow.
 */
export function parseExcludes(text: string): Excludes {
  const patterns: string[] = [];
  const warnings: string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const where = `${EXCLUDE_FILE}:${index + 1}`;
    const line = raw.startsWith("- ") ? raw.slice(2) : raw;
    if (line === "" || /^[#;]/.test(raw)) continue;
    const trouble = troubleWith(raw, line);
    if (trouble) {
      if (warnings.length < 5) warnings.push(`${where}: ${trouble}; the line is ignored`);
    } else if (patterns.length >= MAX_PATTERNS) {
      warnings.push(`${where}: more than ${MAX_PATTERNS} patterns; the rest is ignored`);
      break;
    } else patterns.push(line);
  }
  return { patterns, warnings };
}

function troubleWith(raw: string, pattern: string): string | undefined {
  if (/^\+ /.test(raw)) return "only excludes are allowed, not includes (+)";
  if (raw.startsWith("!")) return "rules cannot be cleared (!)";
  if (pattern.includes("\0")) return "a pattern holds a NUL";
  if (pattern.length > MAX_LENGTH) return `a pattern is longer than ${MAX_LENGTH} characters`;
  if ((pattern.match(/\*+/g)?.length ?? 0) > MAX_WILDCARDS) {
    return `a pattern has more than ${MAX_WILDCARDS} wildcards`;
  }
  if (/^\/?\.?\/*\**\/*$/.test(pattern)) return "it would exclude the whole repository";
  return undefined;
}

/**
 * The excludes that a repository asks for, as far as they are trusted. The file is opened without
 * following a link and without waiting for a FIFO, and read no further than its limit.
 */
export async function repositoryExcludes(spec: CheckedSpec): Promise<Excludes> {
  const none = (...warnings: string[]): Excludes => ({ patterns: [], warnings });
  const trust = spec.repositoryExclude ?? "use";
  if (trust === "ignore") return none();
  if (typeof trust === "object") return parseExcludes(trust.trusted);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(join(spec.source, EXCLUDE_FILE), flags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return none();
    return none(
      code === "ELOOP"
        ? `${EXCLUDE_FILE} is a symbolic link and is ignored`
        : `${EXCLUDE_FILE} cannot be read (${code}) and is ignored`,
    );
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return none(`${EXCLUDE_FILE} is not a regular file and is ignored`);
    if (stat.size > MAX_BYTES) {
      return none(`${EXCLUDE_FILE} is larger than ${MAX_BYTES / 1024} KiB and is ignored`);
    }
    const buffer = Buffer.alloc(MAX_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, MAX_BYTES, 0);
    const content = buffer.subarray(0, bytesRead);
    // Patterns are bytes to rsync; latin1 keeps every byte.
    return parseExcludes(content.toString("latin1"));
  } finally {
    await handle.close();
  }
}

/** The rules of one phase of a run, around those of registry and repository. */
export interface PhaseRules {
  /** Come first, each with its prefix (`- ` or `+ `), bytes as latin1. */
  before: readonly string[];
  /** Come last. */
  after: readonly string[];
}

/** The rules of a run over the whole repository. */
export const WHOLE: PhaseRules = { before: [], after: [] };

/**
 * The rules for one run, as `--from0 --exclude-from` reads them: the first rule that matches counts.
 * Empty where nothing is left out. Excludes that do not name `.git` stop before it, since a pattern such as
 * `objects/` or `*.pack` would make the copy one that git does not accept.
 *
 * @param own the registry's patterns
 * @param asked the repository's, bytes as latin1
 */
export function rulesOf(
  own: readonly string[],
  asked: readonly string[],
  phase: PhaseRules,
): Buffer {
  const plain = own
    .filter((pattern) => pattern !== "")
    .map((pattern) => Buffer.from(pattern).toString("latin1"));
  const intoGit = plain.filter((pattern) => /(^|\/)\.git(\/|$)/.test(pattern));
  const others = plain.filter((pattern) => !intoGit.includes(pattern));
  const outside = [...others, ...asked].map((pattern) => `- ${pattern}`);
  const rules = [
    ...intoGit.map((pattern) => `- ${pattern}`),
    ...phase.before,
    ...(phase.after.length === 0 && outside.length > 0 ? ["+ .git/***"] : []),
    ...outside,
    ...phase.after,
  ];
  return Buffer.from(rules.map((rule) => `${rule}\0`).join(""), "latin1");
}

/** A path below the repository as an anchored pattern that matches it and nothing else. */
export function literalPattern(path: string): string {
  // rsync takes a backslash as an escape only in a pattern that has a wildcard.
  return /[*?[]/.test(path) ? path.replace(/[\\*?[]/g, "\\$&") : path;
}
