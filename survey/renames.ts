// A project's name is the name of its resources. Under a new one Pulumi would delete the container
// and make another, so a renaming is noted beside the stack until the stack's state knows the new
// name, and the program gives each such resource its former name as an alias. The note is read by
// whatever runs the program, plain `pulumi up` included: at no moment, and with no command, is a
// renamed project two different ones.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../host/files.js";
import { paths } from "../host/paths.js";
import type { Registry } from "../registry/types.ts";
import type { Survey } from "./survey.ts";

/** One project that got another name. */
export interface Renaming {
  from: string;
  to: string;
}

/** Where a stack's renamings are noted. */
export function renamesFile(stack: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(paths(env).stateDir, "stacks", stack, "renames.json");
}

/** The renamings that the stack's state may not know yet; none where there is no note. */
export async function readRenames(file: string): Promise<Renaming[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "[]";
    throw error;
  });
  return JSON.parse(text) as Renaming[];
}

export async function writeRenames(file: string, renames: readonly Renaming[]): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(renames)}\n`);
}

/**
 * Those that the registry has carried out: it declares the new name, and the former one no more.
 *
 * @returns former names by new ones
 */
export function carriedOut(
  renames: readonly Renaming[],
  { projects }: Pick<Registry, "projects">,
): Map<string, string> {
  const declared = new Set(projects.map(({ name }) => name));
  return new Map(
    renames
      .filter(({ from, to }) => declared.has(to) && !declared.has(from))
      .map(({ from, to }) => [to, from]),
  );
}

/** A container that still has its former name is its project's: it is there, and does not leave. */
export function withFormerNames(survey: Survey, former: ReadonlyMap<string, string>): Survey {
  if (former.size === 0) return survey;
  const projects = new Map(survey.projects);
  for (const [name, formerName] of former) {
    const facts = projects.get(name);
    if (!facts) continue;
    const exists = facts.exists || survey.leaving.includes(formerName);
    projects.set(name, { ...facts, exists, formerName });
  }
  const old = new Set(former.values());
  return { ...survey, projects, leaving: survey.leaving.filter((name) => !old.has(name)) };
}
