import { constants } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { ask } from "../host/child.ts";
import { literalPattern, type PhaseRules } from "./excludes.ts";

/** A git folder in a repository: `.git`, a submodule's below it, a bare one, or a nested one. */
export interface GitFolder {
  /** Path below the repository, bytes as latin1; empty when the repository itself is one. */
  path: string;
}

/**
 * What in a git folder names objects: it may reach the copy only after the objects did. Commit
 * graphs and multi-pack indexes lie among the objects but name them too.
 */
const NAMING = [
  "HEAD",
  "*_HEAD",
  "packed-refs",
  "refs/***",
  "reftable/***",
  "logs/***",
  "index",
  "sharedindex.*",
  "shallow",
  "worktrees/***",
];
const NAMING_OBJECTS = ["info/commit-graph", "info/commit-graphs/***", "pack/multi-pack-index*"];

/** Finds the git folders of a repository. Nothing of git is run: its configuration is not trusted. */
export async function findGitFolders(source: string, timeoutMs: number): Promise<GitFolder[]> {
  const found = await ask(
    ["find", `${source}/`, "-type", "d", "-name", "objects", "-prune", "-printf", "%P\\0"],
    { timeoutMs, maxOutput: 16 << 20 },
  );
  const folders: GitFolder[] = [];
  for (const objects of found.stdout.toString("latin1").split("\0")) {
    if (!/(^|\/)objects$/.test(objects)) continue;
    const path = objects.slice(0, -"/objects".length).replace(/^objects$/, "");
    if (await isGitFolder(source, path)) folders.push({ path });
  }
  return folders;
}

async function isGitFolder(source: string, path: string): Promise<boolean> {
  const has = (name: string) =>
    lstat(bytesOf(source, join1(path, name))).then(
      () => true,
      () => false,
    );
  return (await has("HEAD")) && ((await has("refs")) || (await has("reftable")));
}

/** The start of the paths of everything in a git folder's object store. */
export const objectsOf = ({ path }: GitFolder) => `${join1(path, "objects")}/`;

/** How the phases of a copy divide a repository among them. */
export interface GitRules {
  /** Only what names objects, without `packed-refs`. */
  naming: PhaseRules;
  /** Only `packed-refs`. */
  packedRefs: PhaseRules;
  /** What the two above bring together. */
  named: PhaseRules;
  /** Only objects. */
  objects: PhaseRules;
  /** All but that. */
  rest: PhaseRules;
}

export function gitRules(folders: readonly GitFolder[]): GitRules {
  const ancestors = new Set<string>();
  for (const { path } of folders) {
    const names = path === "" ? [] : path.split("/");
    for (let length = 1; length <= names.length; length++) {
      ancestors.add(names.slice(0, length).join("/"));
    }
  }
  const open = (inGit: boolean) =>
    [...ancestors]
      .filter((path) => /(^|\/)\.git(\/|$)/.test(path) === inGit)
      .map((path) => `+ /${literalPattern(path)}/`);
  const each = (sign: string, patterns: readonly string[], below = "") =>
    folders.flatMap(({ path }) =>
      patterns.map((pattern) => `${sign} ${anchored(below ? join1(path, below) : path, pattern)}`),
    );
  // Folders outside of git's own come after the user's excludes: what those leave out stays out.
  const only = (...before: string[]): PhaseRules => ({
    before: [...before, ...open(true)],
    after: [...open(false), "- *"],
  });
  const among = each("+", ["objects/", "objects/info/", "objects/pack/"]);
  const naming = [...each("+", NAMING), ...among, ...each("+", NAMING_OBJECTS, "objects")];
  return {
    naming: only(...each("-", ["packed-refs"]), ...naming),
    packedRefs: only(...each("+", ["packed-refs"])),
    named: only(...naming),
    objects: only(...each("-", NAMING_OBJECTS, "objects"), ...each("+", ["objects/***"])),
    rest: { before: [...each("-", ["objects/"]), ...each("-", NAMING)], after: [] },
  };
}

/** A pattern below a folder, anchored. */
function anchored(folder: string, pattern: string): string {
  const wild = /[*?[]/.test(pattern);
  const path = wild ? folder.replace(/[\\*?[]/g, "\\$&") : literalPattern(folder);
  return `/${join1(path, pattern)}`;
}

/** Joins as they are, without normalising; an empty part adds nothing. */
export function join1(folder: string, name: string): string {
  return folder === "" || name === "" ? folder + name : `${folder}/${name}`;
}

/** A path below a folder as bytes, since not every name is UTF-8. */
export function bytesOf(folder: string, below: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(below, "latin1")]);
}

/** Names that git makes and removes in passing: one that vanishes is no loss. */
export function isPassing(printed: string): boolean {
  return /(^|\/)(tmp_|\.tmp-|incoming-)[^/]*(\/.*)?$|\.lock$/.test(printed);
}

/**
 * Whether one of these folders lies in a git folder, or is one.
 *
 * @param changed folders as bytes in latin1
 */
export function holdsGit(
  folders: readonly GitFolder[],
  changed: ReadonlySet<string> | "many",
): boolean {
  if (folders.length === 0) return false;
  if (changed === "many") return true;
  for (const name of changed) {
    for (const { path } of folders) {
      if (path === "" || name === path || name.startsWith(`${path}/`)) return true;
    }
  }
  return false;
}

/**
 * Names the git folders that borrow objects from elsewhere (`git clone --shared`, `--reference`):
 * their copies are not whole alone.
 */
export async function borrowing(source: string, folders: readonly GitFolder[]): Promise<string[]> {
  const found: string[] = [];
  for (const { path } of folders) {
    const file = bytesOf(source, join1(path, "objects/info/alternates"));
    // Written by whoever works in there: not to be followed, waited for or read without end.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(file, flags).catch(() => undefined);
    if (!handle) continue;
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
      const first = buffer.subarray(0, bytesRead).toString().split("\n")[0] ?? "";
      const inside = first.startsWith(`${source}/`) || !first.startsWith("/");
      if (first === "" || first.startsWith("#") || inside) continue;
      const where = Buffer.from(path, "latin1").toString() || ".";
      found.push(
        `git objects of ${printable(where)} are borrowed from ${printable(first)}, ` +
          "which is not in this copy",
      );
    } catch {
      // Not a file: nothing is borrowed through it.
    } finally {
      await handle.close();
    }
  }
  return found;
}

/** Text out of a repository, without what a terminal would obey. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
