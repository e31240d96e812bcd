import { constants } from "node:fs";
import { access, readlink, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { writeFileAtomic } from "../../host/files.js";
import { HeldLock, waitForLock } from "../../host/lock.js";
import { paths } from "../../host/paths.js";
import { problemLine, RegistryMissing } from "../fault.ts";
import { readRegistry } from "../load.ts";
import { readText } from "../read.ts";
import { count, printable } from "../text.ts";
import type { Problem } from "../types.ts";
import type { Edit } from "./edits.ts";

export interface Edited {
  /** Absolute path of the file itself, where the registry is a link. */
  file: string;
  /** Undefined where there was no file. */
  before: string | undefined;
  after: string;
  changed: boolean;
}

export interface EditOptions {
  /** For XDG paths, `HOME`, and `LOCAL_REPOS` and `NFS_REPOS`. */
  env: NodeJS.ProcessEnv;
  /** The text that the edit was planned on ("" where there was no file); any, unless given. */
  seen?: string;
  /** Whether to make the file, from an empty text, where there is none. */
  create?: boolean;
}

const MOST = 16 * 1024 * 1024;
const WAIT_MS = 10_000;

/**
 * Edits the registry: one at a time, whole or not at all. A link stays one, and the file keeps its
 * mode. A text that has a problem which the file did not have before is not written.
 *
 * @param file absolute path of the registry
 * @throws Fault (conflict) where the file is not as it was `seen`, (environment) where it cannot be
 *   written, (failed) with all new problems
 * @throws RegistryMissing where there is no file to edit
 */
export async function editRegistry(
  file: string,
  edit: Edit,
  options: EditOptions,
): Promise<Edited> {
  const lockFile = join(paths(options.env).stateDir, "registry.lock");
  const lock = await waitForLock(lockFile, `repoman (pid ${process.pid})`, {
    timeoutMs: WAIT_MS,
  }).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(lockFile, error);
  });
  if (!(lock instanceof HeldLock)) {
    throw new Fault(`the registry is being edited by ${printable(lock.holder)}`, {
      remedy: "Wait for it to end, then try again.",
      exitCode: EXIT.conflict,
    });
  }
  try {
    return await editLocked(resolve(file), edit, options);
  } finally {
    lock.release();
  }
}

async function editLocked(file: string, edit: Edit, options: EditOptions): Promise<Edited> {
  const { env, seen, create = false } = options;
  const target = await follow(file);
  const before = await read(target);
  if (before === undefined && !create) throw new RegistryMissing(file);
  if (seen !== undefined && seen !== (before ?? "")) throw changedMeanwhile(file);
  const after = edit(before ?? "");
  if (after === before) return { file: target, before, after, changed: false };
  await refuseNewProblems(file, before, after, env);
  // Editors know nothing of the lock.
  if ((await read(target)) !== before) throw changedMeanwhile(file);
  await write(target, after, before !== undefined);
  return { file: target, before, after, changed: true };
}

/**
 * The file that a path leads to, through links; the last one may lead to what is not there yet.
 *
 * @throws Fault (environment) for links in a circle
 */
export async function follow(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP") {
      throw new Fault(`the registry ${printable(file)} is a link to itself`, {
        remedy: "Remove the link.",
        exitCode: EXIT.environment,
      });
    }
    if (code !== "ENOENT") throw cannotWrite(file, error as NodeJS.ErrnoException);
  }
  const link = await readlink(file).catch(() => undefined);
  if (link === undefined) return file;
  // What a link says counts from where it really lies.
  const folder = await realpath(dirname(file));
  return follow(resolve(folder, link));
}

async function read(file: string): Promise<string | undefined> {
  const reading = await readText(file, { most: MOST, links: true });
  if ("text" in reading) return reading.text;
  if ("missing" in reading) return undefined;
  throw new Fault(`the registry ${printable(file)} ${reading.refused}`, {
    remedy: "Mend the file, or name another with --registry.",
    exitCode: EXIT.environment,
  });
}

/** @throws Fault with what is wrong after an edit and was not before it */
async function refuseNewProblems(
  file: string,
  before: string | undefined,
  after: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  // That an override is left without a project is for who removes the project to see to.
  const fresh = (await newProblems(file, before, after, env)).filter((each) => each.file === file);
  if (fresh.length === 0) return;
  throw new Fault(
    `the registry would have ${count(fresh.length, "problem")} after this, so it stays as it is`,
    { remedy: fresh.map(problemLine).join("\n"), exitCode: EXIT.failed },
  );
}

/**
 * What would be wrong with the registry and its overrides if the text were another, and is not now.
 *
 * @param before undefined where there is no registry yet
 */
export async function newProblems(
  file: string,
  before: string | undefined,
  after: string,
  env: NodeJS.ProcessEnv,
): Promise<Problem[]> {
  const problemsIn = async (text: string) => (await readRegistry({ file, text, env })).problems;
  const found = await problemsIn(after);
  if (found.length === 0 || before === undefined) return found;
  const known = (await problemsIn(before)).map(gist);
  return found.filter((problem) => {
    const index = known.indexOf(gist(problem));
    if (index >= 0) known.splice(index, 1);
    return index < 0;
  });
}

/** A problem without where it is and whose: both may change for one that was there before. */
const gist = ({ file, what }: Problem): string =>
  `${file}: ${what.replace(/^project ("(?:[^"\\]|\\.)*"|\d+): /, "")}`;

async function write(file: string, text: string, exists: boolean): Promise<void> {
  try {
    // A file that its owner may not write is not to be replaced either.
    if (exists) await access(file, constants.W_OK);
    await writeFileAtomic(file, text);
  } catch (error) {
    throw cannotWrite(file, error as NodeJS.ErrnoException);
  }
}

const REASONS: Record<string, [what: string, remedy: string]> = {
  EACCES: [
    "is not yours to write",
    "Change its mode or its folder's, or the tool that made it so.",
  ],
  EPERM: ["is not yours to write", "Change its mode or its folder's, or the tool that made it so."],
  EROFS: ["is on a read-only file system", "Edit it where it comes from."],
  ENOSPC: ["cannot be written: the disk is full", "Make room, then try again."],
  EDQUOT: ["cannot be written: your quota is used up", "Make room, then try again."],
};

function cannotWrite(file: string, error: NodeJS.ErrnoException): Fault {
  const [what, remedy] = REASONS[error.code ?? ""] ?? [
    `cannot be written (${error.code ?? error.message})`,
    "Mend that, then try again.",
  ];
  return new Fault(`${printable(file)} ${what}`, {
    remedy: `${remedy} Nothing was changed.`,
    exitCode: EXIT.environment,
    cause: error,
  });
}

function changedMeanwhile(file: string): Fault {
  return new Fault(`the registry ${printable(file)} has changed since it was read`, {
    remedy: "Nothing was written. Look at it, then try again.",
    exitCode: EXIT.conflict,
  });
}
