import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

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
  await mkdir(folder, { recursive: true });
  const old = mode === undefined ? await stat(file).catch(() => undefined) : undefined;
  const temporary = join(folder, `.${basename(file)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx", mode ?? (old ? old.mode & 0o7777 : 0o644));
    try {
      await handle.writeFile(content);
      // The umask does not apply to an explicit chmod.
      await handle.chmod(mode ?? (old ? old.mode & 0o7777 : 0o644 & ~process.umask()));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
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
