import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fsync as fsyncCallback,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

/** The one step that waits for the disk: the others are done before a thread could be asked to. */
const fsync = promisify(fsyncCallback);

/**
 * Replaces a file so that a crash at any moment leaves the old content or the new one:
 * a temporary name in the same folder, synced, renamed, and the folder synced.
 * An existing file keeps its mode unless one is given.
 *
 * @param {string} file
 * @param {string | Uint8Array} content
 * @param {{ mode?: number }} [options]
 */
export async function writeFileAtomic(file, content, { mode } = {}) {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  const old = mode === undefined ? modeOf(file) : undefined;
  const temporary = join(folder, `.${basename(file)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const fd = openSync(temporary, "wx", mode ?? old ?? 0o644);
    try {
      writeFileSync(fd, content);
      // The umask does not apply to an explicit chmod.
      fchmodSync(fd, mode ?? old ?? 0o644 & ~process.umask());
      await fsync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const directory = openSync(folder, "r");
  try {
    await fsync(directory);
  } finally {
    closeSync(directory);
  }
}

/** @param {string} file @returns {number | undefined} undefined where there is none to be kept */
function modeOf(file) {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    return found && found.mode & 0o7777;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file
 * @returns {Promise<boolean>} whether something is there; other trouble than absence is thrown
 */
export async function exists(file) {
  try {
    await stat(file);
    return true;
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
