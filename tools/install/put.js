import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { writeFileAtomic } from "../../host/files.js";
import { ofFile, ofLink } from "./owned.js";

/**
 * @typedef {object} Wanted
 * @property {import("./places.js").Places} places
 * @property {string} program what the link leads to
 * @property {string | undefined} recorded what it led to when it was made last, if that is known
 * @property {() => Promise<Record<"man" | "bash" | "zsh" | "fish", string>>} makeTexts
 */

/**
 * Puts everything in its place, or nothing: what somebody else has put there stays.
 *
 * @param {Wanted} wanted
 * @returns {Promise<{ place: string, changed: boolean }[]>}
 * @throws {Fault} (conflict) that names all that is in the way; (environment) for what cannot be
 *   written
 */
export async function putAll({ places, program, recorded, makeTexts }) {
  const { link, ...files } = places;
  const names = /** @type {(keyof typeof files)[]} */ (Object.keys(files));
  const isOurs = (/** @type {string} */ target) => target === program || target === recorded;
  /** @type {string[]} */
  const foreign = [];
  if (ofLink(link, isOurs) === "foreign") foreign.push(link);
  foreign.push(...names.map((name) => files[name]).filter((file) => ofFile(file) === "foreign"));
  if (foreign.length > 0) {
    const what = foreign.length === 1 ? "is something" : "are things";
    throw new Fault(`there ${what} that install-cli did not put there: ${foreign.join(", ")}`, {
      remedy: "Nothing was changed. Move it away, or choose another PREFIX.",
      exitCode: EXIT.conflict,
    });
  }
  const texts = await makeTexts();
  const done = [];
  for (const name of names) {
    const file = files[name];
    const changed = !holds(file, texts[name]);
    if (changed) await guarded(file, () => writeFileAtomic(file, texts[name], { mode: 0o644 }));
    done.push({ place: file, changed });
  }
  // Last: with it, repoman is there.
  const changed = leadsTo(link) !== program;
  if (changed) await guarded(link, () => replaceLink(link, program));
  return [{ place: link, changed }, ...done];
}

/** @param {string} file @param {string} text */
function holds(file, text) {
  try {
    return readFileSync(file, "utf8") === text;
  } catch {
    return false;
  }
}

/** @param {string} link */
function leadsTo(link) {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

/** @param {string} link @param {string} target */
async function replaceLink(link, target) {
  await mkdir(dirname(link), { recursive: true });
  const temporary = `${link}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await symlink(target, temporary);
    await rename(temporary, link);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * @template T
 * @param {string} place
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 * @throws {Fault} (environment) in place of an error of the file system
 */
export async function guarded(place, act) {
  try {
    return await act();
  } catch (error) {
    const { code, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code || !syscall) throw error;
    throw new Fault(`${place} could not be changed: ${code}`, {
      remedy:
        code === "EACCES" || code === "EPERM" || code === "EROFS"
          ? "Choose a PREFIX that is yours to write to, or run it as the user whose it is."
          : "Mend that, or choose another PREFIX, and run it again.",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}
