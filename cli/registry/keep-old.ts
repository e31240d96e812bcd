import { constants } from "node:fs";
import { copyFile, realpath, rm } from "node:fs/promises";
import { EXIT, Fault } from "../../host/fault.js";
import { printable } from "../../registry/text.ts";
import { note } from "../output/say.ts";

/**
 * Writes the registry anew with a copy of the old one kept beside it, and says where. Beside the file
 * itself, where the registry is a link: that folder is written to in any case.
 *
 * @param file the registry
 * @param was what the copy is called by, after a dot
 * @param write leaves no copy behind where it throws
 * @returns the copy; no earlier one is written over
 * @throws Fault (environment) where there can be no copy; then nothing was written
 */
export async function withOldKept(
  file: string,
  was: `schema-${number}` | "before-reset",
  write: () => Promise<unknown>,
): Promise<string> {
  const copy = await copyBeside(file, was);
  try {
    await write();
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
  note(`The old registry is kept as ${printable(copy)}.`);
  return copy;
}

/** Whether a file of that name, beside the registry, is a copy that was kept. */
export function isKept(name: string, registry: string): boolean {
  if (!name.startsWith(`${registry}.`)) return false;
  return /^(schema-\d+|before-reset)(-\d+)?$/.test(name.slice(registry.length + 1));
}

async function copyBeside(file: string, was: string): Promise<string> {
  let copy = `${file}.${was}`;
  try {
    const target = await realpath(file);
    for (let number = 1; ; number++) {
      copy = `${target}.${was}${number > 1 ? `-${number}` : ""}`;
      try {
        await copyFile(target, copy, constants.COPYFILE_EXCL);
        return copy;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Fault(`the old registry cannot be copied to ${printable(copy)} (${code})`, {
      remedy: "Mend that, then try again. Nothing was changed.",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}
