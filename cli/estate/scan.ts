// Which directories under repos_root have no container yet.

import { join, relative } from "node:path";
import { listFolder } from "../../host/look.ts";
import { instanceName } from "../../registry/rules.ts";

/** A directory that could have a container. */
export interface Candidate {
  /** Relative to `repos_root`. */
  repo: string;
  /** A name that Incus takes, made of the directory's own; not used by any other. */
  name: string;
}

/** How deep a folder of folders is looked into: `repos/work/client/app`. */
const DEEPEST = 3;
const REPOSITORY = new Set([".git", ".hg", ".jj", ".svn"]);

/**
 * @param reposRoot absolute
 * @param projects those of the registry, with absolute paths of their repositories
 * @returns sorted by directory; a folder that only holds repositories gives those instead of itself
 */
export async function scan(
  reposRoot: string,
  projects: readonly { name: string; repo: string }[],
): Promise<Candidate[]> {
  const taken = new Set(projects.map(({ repo }) => repo));
  const found = await below(reposRoot, taken, 1);
  const names = new Set(projects.map(({ name }) => name.toLowerCase()));
  return found.sort().flatMap((path) => {
    const repo = relative(reposRoot, path);
    const name = nameFor(repo, names);
    if (name === undefined) return [];
    names.add(name.toLowerCase());
    return [{ repo, name }];
  });
}

async function below(folder: string, taken: ReadonlySet<string>, depth: number): Promise<string[]> {
  const folders = await foldersIn(folder);
  const nested = await Promise.all(
    folders.map(async (path) => {
      if (taken.has(path)) return [];
      if (await isRepository(path)) return [path];
      const inner = depth < DEEPEST ? await repositoriesIn(path, taken, depth + 1) : [];
      const holdsTaken = [...taken].some((each) => each.startsWith(`${path}/`));
      return inner.length > 0 || holdsTaken ? inner : [path];
    }),
  );
  return nested.flat();
}

/** Only what is a repository: a folder in a folder may be anything. */
async function repositoriesIn(folder: string, taken: ReadonlySet<string>, depth: number) {
  const nested = await Promise.all(
    (await foldersIn(folder)).map(async (path): Promise<string[]> => {
      if (taken.has(path)) return [];
      if (await isRepository(path)) return [path];
      return depth < DEEPEST ? repositoriesIn(path, taken, depth + 1) : [];
    }),
  );
  return nested.flat();
}

/** Those that can be read: of the others it cannot be told what they are. */
async function foldersIn(folder: string): Promise<string[]> {
  return (await entriesOf(folder))
    .filter(({ name, isDirectory }) => isDirectory && !name.startsWith("."))
    .map(({ name }) => join(folder, name));
}

async function isRepository(path: string): Promise<boolean> {
  return (await entriesOf(path)).some(({ name }) => REPOSITORY.has(name));
}

async function entriesOf(folder: string) {
  const found = await listFolder(folder);
  return Array.isArray(found) ? found : [];
}

/** The directory's name as Incus takes it; with its parent's, or a number, where it is taken. */
export function nameFor(repo: string, taken: ReadonlySet<string>): string | undefined {
  const parts = repo.split("/");
  const last = parts.at(-1) ?? "";
  if (fitting(last) === undefined) return undefined;
  const tries = [last, parts.slice(-2).join("-"), ...[2, 3, 4, 5].map((n) => `${last}-${n}`)];
  return tries
    .map((text) => fitting(text))
    .find((name) => name !== undefined && !taken.has(name.toLowerCase()));
}

function fitting(text: string): string | undefined {
  const plain = text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  const name = /^\d+$/.test(plain) ? `p${plain}`.slice(0, 63) : plain;
  return instanceName(name) ? undefined : name;
}
