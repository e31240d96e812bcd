import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { Api, ApiError } from "./api.js";
import { start, stop } from "./daemon.js";
import { recordFile } from "./endpoint.js";
import { daemonFolder, ownFolder } from "./folder.js";
import { asRoot, lastWords } from "./process.js";
import { logFile } from "./status.js";

/**
 * Taking away the daemon that repoman runs itself, with its pool and bridge, once nothing is in it.
 *
 * @typedef {import("./daemon.js").Context} Context
 */

/** Whether there is anything of it. @param {import("../../host/paths.js").Paths} paths */
export const ownIsThere = (paths) => existsSync(ownFolder(paths));

/**
 * What would be lost with it: instances and custom volumes of any project. The daemon is started
 * where it does not run, since only it can tell.
 *
 * @param {Context} context
 * @returns {Promise<string[]>} such as `instance default/web`
 */
export async function holdings(context) {
  // Without its database there is nothing that could be brought up again: a removal was cut off.
  if (!existsSync(join(ownFolder(context.paths), "database"))) return [];
  const api = new Api(await start(context));
  const instances = await api.list("/1.0/instances?recursion=1&all-projects=true");
  const found = instances.map(({ project, name }) => `instance ${project}/${name}`);
  for (const { name: pool } of await api.list("/1.0/storage-pools?recursion=1")) {
    const volumes = await api.list(
      `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/custom?recursion=1&all-projects=true`,
    );
    found.push(...volumes.map(({ project, name }) => `volume ${project}/${name}`));
  }
  return found.sort();
}

/**
 * Removes it for good. Can be cut off, and run again.
 *
 * @param {Context} context
 * @throws {Fault} where something is in it, or still mounted below it: then its files stay
 */
export async function discard(context) {
  const { paths } = context;
  const left = await holdings(context);
  if (left.length > 0) {
    throw new Fault(`repoman's own Incus still holds ${left.join(", ")}`, {
      remedy: "Delete or export that with incus, then run again.",
      exitCode: EXIT.conflict,
    });
  }
  if (existsSync(join(ownFolder(paths), "database"))) {
    await dismantle(new Api(await start(context)));
    await stop(context);
  }
  const purpose = "Removing Incus's folder";
  // A repository that is still mounted somewhere below would be deleted with it.
  const mounted = mountsBelow([ownFolder(paths), daemonFolder(paths)]);
  if (mounted.length > 0) {
    throw new Fault(`${purpose} is not safe: ${mounted.join(", ")} is mounted below it`, {
      remedy: "Unmount that, then run again.",
    });
  }
  const finished = await asRoot(["rm", "-rf", "--one-file-system", ownFolder(paths)], purpose);
  if (finished.code !== 0) {
    throw new Fault(`${purpose} failed: ${lastWords(finished)}`, {
      remedy: `Remove ${ownFolder(paths)} by hand, as root.`,
    });
  }
  for (const file of [recordFile(paths), logFile(paths), join(paths.stateDir, "lxcfs.pid")]) {
    await rm(file, { force: true });
  }
}

/** What outlives a daemon that is only stopped: its bridges, and its pools' mounts. @param {Api} api */
async function dismantle(api) {
  for (const { name } of await api.list("/1.0/projects?recursion=1")) {
    const project = `project=${encodeURIComponent(name)}`;
    for (const { fingerprint } of await api.list(`/1.0/images?recursion=1&${project}`)) {
      await gone(() => api.delete(`/1.0/images/${fingerprint}?${project}`));
    }
  }
  for (const { name } of await api.list("/1.0/profiles?recursion=1")) {
    const path = `/1.0/profiles/${encodeURIComponent(name)}`;
    if (name === "default") await api.put(path, { config: {}, devices: {}, description: "" });
    else await gone(() => api.delete(path));
  }
  for (const { name, managed } of await api.list("/1.0/networks?recursion=1")) {
    if (managed) await gone(() => api.delete(`/1.0/networks/${encodeURIComponent(name)}`));
  }
  for (const { name } of await api.list("/1.0/storage-pools?recursion=1")) {
    await gone(() => api.delete(`/1.0/storage-pools/${encodeURIComponent(name)}`));
  }
}

/** @param {() => Promise<unknown>} remove */
async function gone(remove) {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

/** @param {string[]} folders @returns {string[]} */
function mountsBelow(folders) {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, code) => byte(code)))
    .filter((point) => folders.some((folder) => point.startsWith(`${folder}/`)));
}

/** @param {string} octal */
const byte = (octal) => String.fromCharCode(Number.parseInt(octal, 8));
