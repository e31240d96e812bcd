import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../host/files.js";

/** Below the state directory. */
export const RECORD = "installed-cli.json";

/**
 * Where install-cli has been at work on this host: the program that the link below each prefix
 * leads to.
 *
 * @typedef {Record<string, string>} Prefixes
 */

/**
 * @param {string} stateDir
 * @returns {Prefixes} empty where there is none, or none that can be read
 */
export function readRecord(stateDir) {
  try {
    const { prefixes } = JSON.parse(readFileSync(join(stateDir, RECORD), "utf8"));
    const entries = Object.entries(prefixes ?? {}).filter(
      ([prefix, program]) => prefix.startsWith("/") && typeof program === "string",
    );
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

/**
 * @param {string} stateDir
 * @param {Prefixes} prefixes
 */
export async function writeRecord(stateDir, prefixes) {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify({ schema: 1, prefixes }, null, 2)}\n`;
  await writeFileAtomic(join(stateDir, RECORD), text, { mode: 0o600 });
}
