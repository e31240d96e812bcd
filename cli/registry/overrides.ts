// `repos.d/<name>.toml` as a file that goes along with its project. The user's own: it is renamed,
// never rewritten, never deleted.

import { readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "smol-toml";
import { EXIT, Fault } from "../../host/fault.js";
import { exists } from "../../host/files.js";

/** Where a project's overrides are, or would be. */
export function overrideFile(registry: string, name: string): string {
  return join(dirname(registry), "repos.d", `${name}.toml`);
}

/**
 * Moves the overrides of a project that leaves the registry aside: a file for a project that is not
 * there is an error.
 *
 * @returns where they are now; undefined where there were none
 */
export async function setOverrideAside(
  registry: string,
  name: string,
): Promise<string | undefined> {
  const file = overrideFile(registry, name);
  if (!(await exists(file))) return undefined;
  let aside = `${file}.removed`;
  for (let number = 2; await exists(aside); number++) aside = `${file}.removed-${number}`;
  await rename(file, aside);
  return aside;
}

/** Gives the overrides of a project to its new name; done already is done. */
export async function renameOverride(registry: string, from: string, to: string): Promise<void> {
  const [old, renamed] = [overrideFile(registry, from), overrideFile(registry, to)];
  if (!(await exists(old))) return;
  await requireNoOverride(registry, to);
  await rename(old, renamed);
}

/** @throws Fault (conflict) where a file waits for a project of that name */
export async function requireNoOverride(registry: string, name: string): Promise<void> {
  const file = overrideFile(registry, name);
  if (!(await exists(file))) return;
  throw new Fault(`${file} is there already, for a project "${name}"`, {
    remedy: "Move it away, or give the project another name.",
    exitCode: EXIT.conflict,
  });
}

/** What the overrides of a project say of a key; undefined where they say nothing. */
export async function overridden(registry: string, name: string, key: string): Promise<unknown> {
  const text = await readFile(overrideFile(registry, name), "utf8").catch(() => "");
  try {
    return parse(text)[key];
  } catch {
    // What is no TOML was reported with the registry.
    return undefined;
  }
}
