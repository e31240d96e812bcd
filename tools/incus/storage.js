import { statfsSync } from "node:fs";
import { ApiError } from "./api.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {{ step(text: string): void }} Progress */

const GIB = 2 ** 30;
const BTRFS_MAGIC = 0x9123683e;

/**
 * What to try for the first storage pool, best first. On ZFS and btrfs a container is a copy on
 * write of its image, made at once and sharing its space; `dir` copies every file.
 *
 * @param {object} facts
 * @param {string} [facts.name] of the pool
 * @param {string[]} facts.supported drivers that the server names, and any whose tools were installed
 * @param {string} facts.folder the server's own folder, where a pool or its file comes to lie
 * @param {boolean} facts.onBtrfs whether that folder is on btrfs itself
 * @param {number} facts.free bytes free there
 * @returns {{ driver: string, config: Record<string, string> }[]}
 */
export function poolCandidates({ name = "default", supported, folder, onBtrfs, free }) {
  const candidates = [];
  if (onBtrfs && supported.includes("btrfs")) {
    // A subvolume beside everything else; a file system in a file would write everything twice.
    candidates.push({ driver: "btrfs", config: { source: `${folder}/storage-pools/${name}` } });
  }
  // The file is sparse, but its space is promised: half of what is free leaves room for the rest
  // of the machine. With little space a pool that shares all of it is better than a small one.
  const size = Math.min(Math.floor(free / 2 / GIB), 100);
  if (size >= 5) {
    for (const driver of ["zfs", "btrfs"]) {
      if (supported.includes(driver)) candidates.push({ driver, config: { size: `${size}GiB` } });
    }
  }
  candidates.push({ driver: "dir", config: {} });
  return candidates;
}

/**
 * Makes a pool with the best driver that works here.
 *
 * @param {Api} api
 * @param {object} options
 * @param {string} options.name
 * @param {any} options.server `GET /1.0`
 * @param {string} options.folder the server's own
 * @param {Progress} options.progress
 * @param {string[]} [options.drivers] only these are considered
 */
export async function createPool(api, { name, server, folder, progress, drivers }) {
  const { type, bavail, bsize } = statfsSync(folder);
  const named = server.environment.storage_supported_drivers.map(
    (/** @type {any} */ one) => one.Name,
  );
  // The server looked for tools when it started, which may be before they were installed.
  const supported = [...named, "btrfs"].filter((name) => drivers?.includes(name) ?? true);
  const candidates = poolCandidates({
    name,
    supported,
    folder,
    onBtrfs: type === BTRFS_MAGIC,
    free: bavail * bsize,
  });
  for (const { driver, config } of candidates) {
    const size = config.size ? `, a file of up to ${config.size}` : "";
    progress.step(`Making Incus's storage pool (${driver}${size})`);
    try {
      await api.post("/1.0/storage-pools", {
        name,
        driver,
        config,
        description: "Made by repoman set-up",
      });
      return;
    } catch (error) {
      // Whether a driver works (tools, kernel module, loop devices) is known only by trying.
      if (!(error instanceof ApiError) || driver === "dir") throw error;
      if (/already exists/.test(error.message)) throw error;
      progress.step(`No ${driver} here: ${error.message}`);
    }
  }
}
