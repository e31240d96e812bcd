import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { check } from "./check.ts";
import { type Document, parseDocument } from "./document.ts";
import type { Findings } from "./findings.ts";
import type { Layer } from "./precedence.ts";
import { overrideSchema } from "./project-schema.ts";
import { readText } from "./read.ts";
import { nearest, printable, quote } from "./text.ts";

const MOST_OF_OVERRIDE = 1024 * 1024;

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
