import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { check } from "./check.ts";
import { type Document, parseDocument } from "./document.ts";
import { Findings } from "./findings.ts";
import type { Layer } from "./precedence.ts";
import { readText } from "./read.ts";
import { overrideSchema, repositorySchema } from "./schema.ts";
import { nearest, printable, quote } from "./text.ts";
import type { Problem } from "./types.ts";

/** The name of the file in which a repository says what it would like. */
export const REPOSITORY_FILE = ".repoman.toml";
const MOST_OF_OVERRIDE = 1024 * 1024;
// Whoever can write to a repository can write this file: enough for any honest one.
const MOST_OF_REPOSITORY_FILE = 64 * 1024;

/** What was approved of a repository's `.repoman.toml`: the text, and where it is kept. */
export interface Approved {
  /** Absolute path of the copy, outside the repository. */
  file: string;
  text: string;
}

/** Reports a document's syntax errors as problems. */
export function reportSyntax(document: Document, findings: Findings): void {
  for (const { line, column, what } of document.syntax) {
    findings.addLocated({
      file: document.file,
      line,
      column,
      what: `not TOML here: ${what}`,
      remedy: "mend this line; the table around it was not checked further",
      ...(document.project !== undefined && { project: document.project }),
    });
  }
}

/**
 * Reads `repos.d/<name>.toml`. Files of editors (`x.toml~`, `.x.toml.swp`) are passed over.
 *
 * @param folder absolute; it need not exist
 * @returns the layers by project name
 */
export async function readOverrides(
  folder: string,
  findings: Findings,
): Promise<Map<string, Layer>> {
  const layers = new Map<string, Layer>();
  const names = await list(folder, ".toml", findings);
  const readings = await Promise.all(
    names.map((name) => readText(join(folder, name), { most: MOST_OF_OVERRIDE, links: true })),
  );
  names.forEach((base, index) => {
    const file = join(folder, base);
    const name = base.slice(0, -".toml".length);
    const reading = readings[index] ?? { missing: true };
    if ("refused" in reading || "missing" in reading) {
      const what = "refused" in reading ? reading.refused : "is a link that leads nowhere";
      findings.addLocated({ file, what, remedy: "mend the file, or remove it", project: name });
      return;
    }
    const document = parseDocument(file, reading.text, name);
    reportSyntax(document, findings);
    const data = check(overrideSchema, document, findings);
    layers.set(name, { document, base: [], data, refused: findings.keysUnder(document, []) });
  });
  return layers;
}

/** The files of a folder that end in one of the given ways, sorted; none where there is no folder. */
export async function list(folder: string, ending: string, findings: Findings): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith(ending) && !name.startsWith(".")).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    findings.addLocated({
      file: folder,
      what: code === "ENOTDIR" ? "is not a directory" : `cannot be read (${code})`,
      remedy: "mend the folder, or remove it",
    });
    return [];
  }
}

/** Reports overrides that no project has a use for. */
export function reportStrayOverrides(
  overrides: ReadonlyMap<string, Layer>,
  names: ReadonlySet<string>,
  registry: string,
  findings: Findings,
): void {
  for (const [name, { document }] of overrides) {
    if (names.has(name)) continue;
    const near = nearest(name, names);
    findings.addLocated({
      file: document.file,
      what: `there is no project ${quote(name)} in ${printable(registry)}`,
      remedy: near
        ? `rename the file to ${quote(`${near}.toml`)} if it is for project ${quote(near)}, or remove it`
        : "add the project, or remove the file",
      project: name,
    });
  }
}

/** A repository's `.repoman.toml`, as it is now. */
export async function readRepositoryFile(repo: string) {
  const file = join(repo, REPOSITORY_FILE);
  return { file, ...(await readText(file, { most: MOST_OF_REPOSITORY_FILE, links: false })) };
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
): Promise<{ layer?: Layer; warnings: Problem[] }> {
  const reading = await readRepositoryFile(repo);
  const { file } = reading;
  const warn = (what: string, remedy: string): Problem => ({
    file,
    what: `project ${quote(name)}: ${what}`,
    remedy,
    project: name,
  });
  const warnings: Problem[] = [];
  const current = "text" in reading ? reading.text : undefined;
  if ("refused" in reading) {
    warnings.push(warn(`its ${REPOSITORY_FILE} ${reading.refused}, so it is ignored`, "remove it"));
  } else if (current !== undefined && current !== approved?.text) {
    const { wishes, broken } = await wishesOf(file, current, name);
    const since = approved ? "changed since it was trusted, and what was trusted holds" : "ignored";
    const subject = `project ${quote(name)}: `;
    if (broken) {
      const reason = broken.what.replace(subject, "");
      warnings.push({
        ...broken,
        ...warn(`its ${REPOSITORY_FILE} is ${since}: ${reason}`, broken.remedy),
      });
    } else if (wishes.length > 0 || approved) {
      warnings.push(
        warn(
          `its ${REPOSITORY_FILE} asks for ${wishes.join(", ") || "nothing"} and is ${since}`,
          "a container can write this file; what you agree with goes into repos.d",
        ),
      );
    }
  }
  if (!approved) return { warnings };
  const document = parseDocument(approved.file, approved.text, name);
  const findings = new Findings();
  const data = check(repositorySchema, document, findings);
  return { layer: { document, base: [], data }, warnings };
}

/** What an untrusted file asks for, in words that are not its own, and its first fault. */
async function wishesOf(file: string, text: string, name: string) {
  const document = parseDocument(file, text, name);
  const findings = new Findings();
  reportSyntax(document, findings);
  const known = check(repositorySchema, document, findings);
  const [broken] = await findings.locate([file]);
  return { wishes: Object.keys(known).sort(), broken };
}
