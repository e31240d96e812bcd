import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * @param {string} file
 * @returns {boolean} whether this user can run it
 */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * All executables of a name, in the order in which a shell looks for them.
 *
 * @param {string} name
 * @param {string | undefined} path such as `process.env.PATH`
 */
export function whichAll(name, path) {
  return (path ?? "")
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

/**
 * @param {string} name
 * @param {string | undefined} path
 */
export function which(name, path) {
  return whichAll(name, path)[0];
}
