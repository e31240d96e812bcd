// What a repository's own files ask for, held against what its project has: what `repoman trust`
// shows before it asks.

import { type EffectiveChange, effectiveChanges } from "../../registry/effective.ts";
import { readEstate } from "../../registry/estate.ts";
import { type Exposure, exposuresOf } from "../../registry/exposure.ts";
import { VENDOR_PROFILES } from "../../registry/profiles.ts";
import { decode } from "../../registry/read.ts";
import {
  fingerprint,
  REPOSITORY_EXCLUDES,
  REPOSITORY_FILE,
  readApprovedFile,
  readUntrusted,
  type TrustKey,
  UNTRUSTED_FILES,
  type UntrustedFile,
} from "../../registry/trust.ts";
import type { Library, Problem, Project } from "../../registry/types.ts";
import { type Approved, examine, excludeLines } from "../../registry/wishes.ts";
import type { Context } from "../context.ts";

/**
 * - `absent`: there is none, and none was trusted
 * - `idle`: there is one, and it asks for nothing
 * - `untrusted`: it asks for something and has no effect
 * - `trusted`: it is what was trusted
 * - `changed`: it is not what was trusted, which holds
 * - `gone`: there is none any more, and what was trusted holds
 * - `unusable`: it cannot be trusted, whoever asks; `reasons` says why
 */
export type FileState =
  | "absent"
  | "idle"
  | "untrusted"
  | "trusted"
  | "changed"
  | "gone"
  | "unusable";

/** One of a repository's own files. */
export interface FileReview {
  name: UntrustedFile;
  /** Absolute. */
  path: string;
  state: FileState;
  /** The very bytes that are shown, and stored when agreed with. */
  bytes?: Buffer;
  sha256?: string;
  /** ISO 8601. */
  trustedAt?: string;
  trustedSha256?: string;
  /** Whether there is a record, even one that cannot be relied on. */
  recorded: boolean;
  /** Why it cannot be trusted, or why the record does not count. */
  reasons: string[];
}

/** What agreeing would change. */
export interface Review {
  project: Project;
  key: TrustKey;
  files: FileReview[];
  /** Of the project's effective configuration. */
  changes: EffectiveChange[];
  /** What the container could reach of the host in addition. */
  exposures: Exposure[];
  /** Patterns that would no longer, or newly, be left out of the backup. */
  excludes: { added: string[]; removed: string[] };
}

/** Whether somebody has to decide. */
export function waits({ state }: FileReview): boolean {
  return !["absent", "idle", "trusted"].includes(state);
}

/** Whether agreeing is possible and would change something. */
export function canTrust({ state }: FileReview): boolean {
  return state === "untrusted" || state === "changed";
}

/**
 * @param revoking whether to tell what taking the trust back would change, rather than giving it
 */
export async function review(
  context: Context,
  project: Project,
  { revoking = false }: { revoking?: boolean } = {},
): Promise<Review> {
  const key = { env: context.setting.env, project: project.name, repo: project.repo };
  const files = await Promise.all(UNTRUSTED_FILES.map((name) => reviewFile(key, name)));
  const [config, excludes] = files as [FileReview, FileReview];
  const approved = await wouldBe(config, revoking);
  let after = project;
  let library = context.library as Library;
  if (approved !== undefined) {
    const estate = await foresee(context, project.name, approved);
    const reasons = approved === null ? [] : newProblems(context, estate, project.name);
    if (reasons.length > 0) Object.assign(config, { state: "unusable", reasons });
    else {
      after = estate.registry.projects.find(({ name }) => name === project.name) ?? project;
      library = estate.library;
    }
  }
  const { home } = homeOf(context);
  const known = new Set(reach(project, library, home).map(({ id }) => id));
  return {
    project,
    key,
    files,
    changes: effectiveChanges(project, after),
    exposures: reach(after, library, home)
      .filter(({ id }) => !known.has(id))
      .map(({ exposure }) => exposure),
    excludes: await excludeChanges(key, excludes, revoking),
  };
}

export function homeOf({ setting }: Context): { home: string } {
  return { home: setting.env.HOME ?? "/" };
}

async function reviewFile(key: TrustKey, name: UntrustedFile): Promise<FileReview> {
  const [reading, record] = await Promise.all([
    readUntrusted(key.repo, name),
    readApprovedFile(key, name),
  ]);
  const approved = record && "bytes" in record ? record : undefined;
  const found: FileReview = {
    name,
    path: reading.file,
    state: "absent",
    recorded: record !== undefined,
    reasons: [],
    ...(approved && { trustedAt: approved.approvedAt, trustedSha256: approved.sha256 }),
  };
  if (record && "damaged" in record) {
    found.reasons.push(`the record ${record.file} ${record.damaged}, so it does not count`);
  }
  if ("silent" in reading) {
    return { ...found, state: "unusable", reasons: [`it ${reading.what}`] };
  }
  if ("missing" in reading) return { ...found, state: approved ? "gone" : "absent" };
  if ("refused" in reading) {
    return { ...found, state: "unusable", reasons: [`it ${reading.refused}`] };
  }
  const { bytes } = reading;
  Object.assign(found, { bytes, sha256: fingerprint(bytes) });
  if (approved?.bytes.equals(bytes)) return { ...found, state: "trusted" };
  const judged = await judge(found, bytes, key.project);
  if (judged.reasons.length > 0) return { ...found, state: "unusable", reasons: judged.reasons };
  if (approved) return { ...found, state: "changed" };
  return { ...found, state: judged.asks ? "untrusted" : "idle" };
}

/** Whether a file asks for anything, and why it cannot be agreed with. */
async function judge({ name, path }: FileReview, bytes: Buffer, project: string) {
  if (name === REPOSITORY_EXCLUDES) return { asks: excludeLines(bytes).length > 0, reasons: [] };
  const text = decode(bytes);
  if (text === undefined) return { asks: true, reasons: ["it is not UTF-8 text"] };
  const { keys, problems } = await examine(path, text, project);
  return { asks: keys.length > 0, reasons: problems.map(reasonOf) };
}

function reasonOf({ line, column, what, remedy }: Problem): string {
  const at = line === undefined ? "" : `${line}:${column ?? 1}: `;
  return `${at}${what.replace(/^project "[^"]*": /, "")} — ${remedy}`;
}

/** What is to be taken for approved: nothing (null), or as it is (undefined). */
async function wouldBe(
  { name, path, bytes, state, recorded }: FileReview,
  revoking: boolean,
): Promise<Approved | null | undefined> {
  if (name !== REPOSITORY_FILE) return undefined;
  if (revoking) return recorded ? null : undefined;
  if (!bytes || (state !== "untrusted" && state !== "changed")) return undefined;
  const text = decode(bytes);
  return text === undefined ? undefined : { file: path, text };
}

async function foresee(context: Context, name: string, approved: Approved | null) {
  const { file, setting } = context;
  const given = new Map([[name, approved]]);
  return readEstate({ file, env: setting.env, vendorDir: VENDOR_PROFILES, approved: given });
}

type Estate = Awaited<ReturnType<typeof readEstate>>;

/** What would be wrong with the registry, or with the file itself, that is not wrong now. */
function newProblems(context: Context, { problems, registry }: Estate, name: string): string[] {
  const known = new Set(context.problems.map(({ what }) => what));
  const ignored = `project "${name}": what was trusted of its ${REPOSITORY_FILE} is ignored: `;
  return [
    ...problems.filter(({ what }) => !known.has(what)),
    ...registry.warnings.flatMap((warning) =>
      warning.what.startsWith(ignored)
        ? [
            {
              ...warning,
              what: warning.what.slice(ignored.length),
              remedy: warning.remedy.replace(/; `repoman trust [^`]*` takes it back$/, ""),
            },
          ]
        : [],
    ),
  ].map(reasonOf);
}

/** What a project reaches of the host, by itself and through its profiles. */
function reach(project: Project, library: Library, home: string) {
  const mounts = project.mounts.map(({ device, source, path, readonly, optional }) => [
    device,
    {
      type: "disk",
      source,
      path,
      readonly: String(readonly),
      ...(optional ? { required: "false" } : {}),
    },
  ]);
  const ports = project.ports.map(({ device, listen, connect, protocol, address }) => [
    device,
    {
      type: "proxy",
      listen: `${protocol}:${address.includes(":") ? `[${address}]` : address}:${listen}`,
      connect: `${protocol}:127.0.0.1:${connect}`,
    },
  ]);
  const own = { ...Object.fromEntries([...mounts, ...ports]), ...project.devices };
  const sets = [...project.profiles.map((name) => library.get(name)?.devices ?? {}), own];
  return sets
    .flatMap((devices) => exposuresOf(devices, home))
    .map((exposure) => {
      const { kind, host, writable } = exposure;
      return { exposure, id: JSON.stringify([kind, host, writable]) };
    });
}

async function excludeChanges(key: TrustKey, file: FileReview, revoking: boolean) {
  const record = await readApprovedFile(key, REPOSITORY_EXCLUDES);
  const now = record && "bytes" in record ? excludeLines(record.bytes) : [];
  const wanted = canTrust(file) && file.bytes ? excludeLines(file.bytes) : now;
  const then = revoking ? [] : wanted;
  return {
    added: then.filter((line) => !now.includes(line)),
    removed: now.filter((line) => !then.includes(line)),
  };
}
