// Copies that are edited in the place of the user's files. What somebody wrote is never thrown away:
// a draft stays until its text is saved.

import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { paths } from "../../host/paths.js";
import { readText } from "../../registry/read.ts";
import { printable } from "../../registry/text.ts";

const MOST = 16 * 1024 * 1024;

const folderOf = (env: NodeJS.ProcessEnv) => join(paths(env).stateDir, "drafts");

/**
 * @param base the name of the file that is edited: editors go by its ending
 * @returns the draft's absolute path; only the user can read it
 */
export async function makeDraft(
  env: NodeJS.ProcessEnv,
  base: string,
  text: string,
): Promise<string> {
  const file = join(folderOf(env), `${randomBytes(3).toString("hex")}-${base}`);
  try {
    await mkdir(folderOf(env), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new Fault(
      `${printable(file)} cannot be written (${(error as NodeJS.ErrnoException).code})`,
      { remedy: "Mend that, then try again.", exitCode: EXIT.environment, cause: error },
    );
  }
  return file;
}

/** @throws Fault where the editor left something else there */
export async function readDraft(file: string): Promise<string> {
  const reading = await readText(file, { most: MOST, links: false });
  if ("text" in reading) return reading.text;
  const what = "refused" in reading ? reading.refused : "is gone";
  throw new Fault(`what was edited, ${printable(file)}, ${what}`, { remedy: "Edit again." });
}

export async function removeDraft(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** Drafts of a file that were never saved. */
export async function leftDrafts(env: NodeJS.ProcessEnv, base: string): Promise<string[]> {
  const names = await readdir(folderOf(env)).catch(() => []);
  return names
    .filter((name) => /^[0-9a-f]{6}-/.test(name) && name.slice(7) === base)
    .map((name) => join(folderOf(env), name));
}
