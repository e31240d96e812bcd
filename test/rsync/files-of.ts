import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";

/** A path below a folder as bytes, since not every name is UTF-8. */
export const at = (root: string, path: string) =>
  Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);

/** What rsync has not finished waits in such a folder of the copy, which is no part of it. */
const UNFINISHED = /^\.repoman-[0-9a-f]{32}$/;

/**
 * Everything below a folder but what is unfinished there, by its path as bytes in latin1: a regular file as a hash of its content,
 * anything else as an empty text.
 */
export function entriesOf(root: string, below = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(at(root, below), "latin1")) {
    if (below === "" && UNFINISHED.test(name)) continue;
    const path = below ? `${below}/${name}` : name;
    const stat = lstatSync(at(root, path));
    found.set(path, stat.isFile() ? hashOf(at(root, path)) : "");
    if (stat.isDirectory()) for (const entry of entriesOf(root, path)) found.set(...entry);
  }
  return found;
}

const hashOf = (path: Buffer) => createHash("sha256").update(readFileSync(path)).digest("hex");

/**
 * What lies in a copy that is neither as it was nor as it is to be: files in part, and those that
 * wait for their names.
 */
export function strangers(
  copy: string,
  ...states: readonly ReadonlyMap<string, string>[]
): string[] {
  return [...entriesOf(copy)]
    .filter(([path, content]) => !states.some((state) => state.get(path) === content))
    .map(([path]) => JSON.stringify(path));
}
