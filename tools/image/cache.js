import { access, constants, mkdir, readdir, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { basename, join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { exists } from "../../host/files.js";
import { HeldLock, waitForLock } from "../../host/lock.js";
import { finish } from "./finish.js";
import { finishedImage, layOut, unfinishedImage } from "./layout.js";
import { recipe } from "./recipe.js";

/**
 * @typedef {import("../../host/paths.js").Paths} Paths
 * @typedef {import("./recipe.js").Recipe} Recipe
 * @typedef {{ step(text: string): void }} Progress
 * @typedef {{ paths: Paths, progress: Progress }} Context
 */

/** @param {Paths} paths */
export const imageFolder = (paths) => join(paths.cacheDir, "images");

/**
 * The locally built image as a file, from the cache or built.
 *
 * @param {string} socket of a daemon to build in
 * @param {Context} context
 * @param {Recipe} [given]
 * @returns {Promise<string>}
 * @throws {Fault} (exit 3)
 */
export async function imageFile(socket, { paths, progress }, given) {
  const plan = given ?? (await recipe());
  const cache = imageFolder(paths);
  if (await exists(finishedImage(plan, cache))) return finishedImage(plan, cache);
  const folder = await writableFolder(cache);
  const target = finishedImage(plan, folder);
  return underLock(folder, progress, async () => {
    if (await exists(target)) return target;
    progress.step(`Building a ${plan.os} ${plan.release} image on this machine (about a minute)`);
    const half = unfinishedImage(plan, cache);
    const unfinished = (await exists(half))
      ? half
      : await layOut(plan, { folder, cacheDir: paths.cacheDir, progress });
    await finish(unfinished, target, { socket, progress });
    await removeOthers(folder, target);
    return target;
  });
}

/**
 * Does the half of the work that needs the network: with its result in the cache, an image can be
 * finished where there is none. Nothing is done when the whole image is there.
 *
 * @param {Context} context
 * @returns {Promise<string>} the image or its first half, as a file
 * @throws {Fault} (exit 3)
 */
export async function prepareImage({ paths, progress }) {
  const plan = await recipe();
  const folder = imageFolder(paths);
  for (const file of [finishedImage(plan, folder), unfinishedImage(plan, folder)]) {
    if (await exists(file)) return file;
  }
  await mkdir(folder, { recursive: true });
  return underLock(folder, progress, () =>
    layOut(plan, { folder, cacheDir: paths.cacheDir, progress }),
  );
}

/**
 * The cache may be there to read only, as it is for tests.
 * @param {string} cache
 */
async function writableFolder(cache) {
  try {
    await mkdir(cache, { recursive: true });
    await access(cache, constants.W_OK);
    return cache;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== "EROFS" && code !== "EACCES") throw error;
    const folder = join(tmpdir(), `repoman-images-${userInfo().uid}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
}

/**
 * @template T
 * @param {string} folder
 * @param {Progress} progress
 * @param {() => Promise<T>} work
 */
async function underLock(folder, progress, work) {
  const lock = await waitForLock(join(folder, "lock"), `repoman (pid ${process.pid})`, {
    timeoutMs: 30 * 60_000,
    onWait: (holder) => progress.step(`Waiting for ${holder}, which builds an image`),
  });
  if (!(lock instanceof HeldLock)) {
    throw new Fault(`${lock.holder} has been building an image for half an hour`, {
      remedy: "end it, then start again",
      exitCode: EXIT.conflict,
    });
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/**
 * Images of earlier recipes, and what is half made, are of no more use.
 * @param {string} folder
 * @param {string} target
 */
async function removeOthers(folder, target) {
  const keep = [basename(target), "lock"];
  for (const name of await readdir(folder)) {
    if (!keep.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
