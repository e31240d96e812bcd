import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { placesBelow } from "./places.js";
import { readRecord } from "./record.js";

// A file that install-cli wrote ends with a line that says so, with a digest of all above it: so it
// is known wherever it was moved to, and one that somebody has changed since is theirs.

const MARK = "Put here by repoman's install-cli, which uninstall-cli undoes:";

/**
 * @param {string} text
 * @param {string} comment what begins a comment in it
 */
export function marked(text, comment) {
  return `${text}${comment} ${MARK} ${digest(text)}\n`;
}

/** @param {string} text */
function isMarked(text) {
  const at = text.lastIndexOf("\n", text.length - 2) + 1;
  return text.slice(at).endsWith(` ${MARK} ${digest(text.slice(0, at))}\n`);
}

/** @param {string} text */
function digest(text) {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * @typedef {"absent" | "ours" | "foreign"} Whose foreign is whatever is not as install-cli left it
 *
 * @param {string} file
 * @returns {Whose}
 */
export function ofFile(file) {
  const stat = look(file);
  if (!stat) return "absent";
  try {
    return stat.isFile() && isMarked(readFileSync(file, "utf8")) ? "ours" : "foreign";
  } catch {
    return "foreign";
  }
}

/**
 * @param {string} link
 * @param {(target: string) => boolean} isOurs
 * @returns {Whose}
 */
export function ofLink(link, isOurs) {
  const stat = look(link);
  if (!stat) return "absent";
  if (!stat.isSymbolicLink()) return "foreign";
  return isOurs(resolve(dirname(link), readlinkSync(link))) ? "ours" : "foreign";
}

/** @param {string} place */
function look(place) {
  try {
    return lstatSync(place);
  } catch {
    // What keeps it from being looked at is told by the attempt to write there.
    return undefined;
  }
}

/**
 * Whether a link is this checkout's to take away: it leads here, or to where a checkout was when
 * install-cli made the link, and is no more.
 *
 * @param {string} program this checkout's, absolute
 * @param {string | undefined} recorded where it led when it was made
 */
export function leadsHere(program, recorded) {
  return (/** @type {string} */ target) =>
    target === program || (target === recorded && !existsSync(target));
}

/**
 * Whether what is below a prefix is another checkout's, which may still be in use.
 *
 * @param {string} program this checkout's, absolute
 * @param {string | undefined} recorded what was installed there last
 */
export function isOthers(program, recorded) {
  return recorded !== undefined && recorded !== program && existsSync(recorded);
}

/**
 * What install-cli has put on this host for this checkout, as far as it is there and as it was.
 *
 * @param {{ stateDir: string, home: string }} places
 * @param {string} root the project's folder
 * @returns {{ links: string[], files: string[] }}
 */
export function installed({ stateDir, home }, root) {
  const record = readRecord(stateDir);
  const program = join(root, "bin/repoman");
  /** @type {{ links: string[], files: string[] }} */
  const found = { links: [], files: [] };
  for (const prefix of new Set([...Object.keys(record), join(home, ".local")])) {
    const recorded = record[prefix];
    if (isOthers(program, recorded)) continue;
    const { link, ...files } = placesBelow({ prefix });
    if (ofLink(link, leadsHere(program, recorded)) === "ours") found.links.push(link);
    found.files.push(...Object.values(files).filter((file) => ofFile(file) === "ours"));
  }
  return found;
}
