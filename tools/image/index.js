import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { exists } from "../../host/files.js";
import { Api } from "../incus/api.js";
import { lastWords, run } from "../incus/process.js";
import { imageFile } from "./cache.js";
import { client } from "./finish.js";
import { fingerprint } from "./layout.js";
import { recipe } from "./recipe.js";

/**
 * @typedef {import("../../host/paths.js").Paths} Paths
 * @typedef {{ step(text: string): void }} Progress
 * @typedef {{ paths: Paths, env: NodeJS.ProcessEnv, progress: Progress }} Context
 */

export { imageFile, imageFolder, prepareImage } from "./cache.js";

/** A Debian system on the public image server. */
export const PUBLIC_IMAGE = "images:debian/12/cloud";

/**
 * An image of a real system for containers of this server: the public one where its server can be
 * reached, else one built here.
 *
 * @param {string} socket of the server
 * @param {Context} context
 * @returns {Promise<string>} as the registry names images
 * @throws {Fault} (exit 3)
 */
export async function systemImage(socket, context) {
  if (await publicImageCanBeReached(context)) return PUBLIC_IMAGE;
  return provideLocalImage(socket, context);
}

/**
 * Whether the incus client, with the user's own list of remotes, finds the public image.
 * @param {Context} context
 */
export async function publicImageCanBeReached({ env, progress }) {
  progress.step(`Looking for ${PUBLIC_IMAGE}`);
  const { INCUS_REMOTE: _remote, INCUS_PROJECT: _project, ...rest } = env;
  const configured = env.INCUS_CONF || join(env.HOME || homedir(), ".config", "incus");
  return withTemporaryFolder(async (folder) => {
    // The client would write a configuration where there is none, and keep what it looked up.
    const INCUS_CONF = (await exists(configured)) ? configured : folder;
    const { code } = await run(["incus", "image", "info", PUBLIC_IMAGE], {
      env: { ...rest, INCUS_CONF, XDG_CACHE_HOME: folder },
      timeoutMs: 8000,
    });
    return code === 0;
  });
}

/**
 * Makes sure that the locally built image is on the server, building it where it is not cached.
 *
 * @param {string} socket
 * @param {Context} context
 * @returns {Promise<string>} its alias
 * @throws {Fault} (exit 3)
 */
export async function provideLocalImage(socket, context) {
  const plan = await recipe();
  const api = new Api(socket);
  const alias = `/1.0/images/aliases/${encodeURIComponent(plan.alias)}`;
  // One that is there stays as it is: containers were made from it.
  if (await api.find(alias)) return plan.alias;
  const tarball = await imageFile(socket, context, plan);
  context.progress.step(`Importing the image as ${plan.alias}`);
  const id = await fingerprint(tarball);
  if (!(await api.find(`/1.0/images/${id}`))) {
    await withTemporaryFolder(async (folder) => {
      const incus = await client(socket, folder);
      const finished = await incus("image", "import", tarball, "local:");
      if (finished.code === 0) return;
      throw new Fault(`The image ${tarball} could not be imported: ${lastWords(finished)}`, {
        remedy: "delete the file if it is damaged, and start again",
        exitCode: EXIT.environment,
      });
    });
  }
  await api.post("/1.0/images/aliases", { name: plan.alias, target: id, type: "container" });
  return plan.alias;
}

/**
 * @template T
 * @param {(folder: string) => Promise<T>} use
 */
async function withTemporaryFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), "repoman-incus."));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
