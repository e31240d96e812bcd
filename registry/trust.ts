// What the user has agreed with of the files by which a repository asks for something. Whoever is
// at work in the container can write those files, so a copy of what was shown and agreed with is
// kept outside of the repository, and only the copy counts.

import { createHash } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../host/files.js";
import { paths } from "../host/paths.js";
import { decode, readBounded, readBytes } from "./read.ts";

/** The file in which a repository says what it would like. */
export const REPOSITORY_FILE = ".repoman.toml";
/** The file in which it says what need not be mirrored. */
export const REPOSITORY_EXCLUDES = ".repoman-exclude";

/** The files that count only once they are trusted. */
export const UNTRUSTED_FILES = [REPOSITORY_FILE, REPOSITORY_EXCLUDES] as const;
export type UntrustedFile = (typeof UNTRUSTED_FILES)[number];

// Enough for any honest one.
const MOST_OF_FILE = 64 * 1024;
const MOST_OF_RECORD = MOST_OF_FILE + 16 * 1024;
const HEADER = "# Trusted with `repoman trust`; not to be edited. ";

/** Of which project, in which repository: two registries may both have an `alpha`. */
export interface TrustKey {
  /** For `XDG_DATA_HOME` and `HOME`. */
  env: NodeJS.ProcessEnv;
  project: string;
  /** Absolute path of the repository on the host. */
  repo: string;
}

/** A file that was agreed with. */
export interface ApprovedFile {
  /** Absolute path of the copy. Its first line is a comment of repoman's own. */
  file: string;
  /** What was agreed with, byte by byte. */
  bytes: Buffer;
  /** Hex; the fingerprint of those bytes. */
  sha256: string;
  /** ISO 8601. */
  approvedAt: string;
}

/** A record that is there and cannot be relied on. */
export interface DamagedRecord {
  file: string;
  /** Why not: "is …". */
  damaged: string;
}

export function fingerprint(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Where the copy lies, whether there is one or not. */
export function approvedPath({ env, project, repo }: TrustKey, file: UntrustedFile): string {
  const place = fingerprint(Buffer.from(repo)).slice(0, 16);
  const ending = file === REPOSITORY_FILE ? "toml" : "exclude";
  return join(paths(env).dataDir, "trusted", `${project}-${place}.${ending}`);
}

/**
 * One of the repository's own files as it is now, read without trusting it; `silent` where its file
 * system does not answer.
 */
export async function readUntrusted(repo: string, file: UntrustedFile) {
  const path = join(repo, file);
  return { file: path, ...(await readBounded(path, MOST_OF_FILE)) };
}

/**
 * What was agreed with of one of a repository's files.
 *
 * @returns nothing where nothing was; why it cannot be relied on where the record is damaged, which
 *   counts as nothing
 */
export async function readApprovedFile(
  key: TrustKey,
  file: UntrustedFile,
): Promise<ApprovedFile | DamagedRecord | undefined> {
  const path = approvedPath(key, file);
  const reading = await readBytes(path, { most: MOST_OF_RECORD, links: false });
  if ("missing" in reading) return undefined;
  if ("refused" in reading) return { file: path, damaged: reading.refused };
  const end = reading.bytes.indexOf("\n");
  const header = end < 0 ? undefined : decode(reading.bytes.subarray(0, end));
  const bytes = reading.bytes.subarray(end + 1);
  const about = header?.startsWith(HEADER) ? parseHeader(header.slice(HEADER.length)) : undefined;
  if (!about) return { file: path, damaged: "does not begin as repoman wrote it" };
  if (about.project !== key.project || about.repo !== key.repo || about.file !== file) {
    return { file: path, damaged: "is about another repository" };
  }
  const sha256 = fingerprint(bytes);
  if (about.sha256 !== sha256) return { file: path, damaged: "is not what was written" };
  return { file: path, bytes, sha256, approvedAt: about.approvedAt };
}

type Header = Record<"project" | "repo" | "file" | "sha256" | "approvedAt", string>;

function parseHeader(text: string): Header | undefined {
  try {
    const value = JSON.parse(text) as Header;
    const keys = ["project", "repo", "file", "sha256", "approvedAt"] as const;
    return keys.every((key) => typeof value[key] === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps these bytes as what was agreed with.
 *
 * @param bytes the very ones that were shown
 */
export async function storeApproved(
  key: TrustKey,
  file: UntrustedFile,
  bytes: Uint8Array,
): Promise<void> {
  const path = approvedPath(key, file);
  const about: Header = {
    project: key.project,
    repo: key.repo,
    file,
    sha256: fingerprint(bytes),
    approvedAt: new Date().toISOString(),
  };
  const folder = join(path, "..");
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  const header = Buffer.from(`${HEADER}${JSON.stringify(about)}\n`);
  await writeFileAtomic(path, Buffer.concat([header, bytes]), { mode: 0o600 });
}

/** Forgets what was agreed with. */
export async function revokeApproved(key: TrustKey, file: UntrustedFile): Promise<void> {
  await rm(approvedPath(key, file), { force: true });
}

/** Carries what was agreed with over to a project that was renamed, or whose repository moved. */
export async function moveApproved(from: TrustKey, to: TrustKey): Promise<void> {
  for (const file of UNTRUSTED_FILES) {
    const approved = await readApprovedFile(from, file);
    if (!approved || !("bytes" in approved)) continue;
    await storeApproved(to, file, approved.bytes);
    await revokeApproved(from, file);
  }
}
