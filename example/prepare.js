import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT, Fault } from "../host/fault.js";
import { exists, writeFileAtomic } from "../host/files.js";
import { provideLocalImage, systemImage } from "../tools/image/index.js";
import { Api } from "../tools/incus/api.js";
import { install } from "../tools/incus/apt.js";
import { locate } from "../tools/incus/endpoint.js";
import { lastWords, run, which } from "../tools/incus/process.js";

/**
 * @typedef {import("../host/paths.js").Paths} Paths
 * @typedef {{ step(text: string): void }} Progress
 * @typedef {{ paths: Paths, env: NodeJS.ProcessEnv, progress: Progress }} Context
 *
 * @typedef {object} Written what an earlier run chose and wrote; later runs keep to it
 * @property {string} [image]
 * @property {number} [port]
 * @property {Record<string, string>} files SHA-256 of each file as it was written
 */

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Where the demo lives. @param {Paths} paths */
export const demoFolder = (paths) => join(paths.dataDir, "demo");

/**
 * Lays out the demo estate: repositories, a folder for their mirrors, a registry with profiles
 * beside it, and the image on the server. What is there stays, and what the user has changed is
 * never written again.
 *
 * @param {Context} context
 * @returns {Promise<{ registry: string, stack: string, image: string }>} the registry's file, and
 *   the image that it names
 * @throws {Fault} (exit 3)
 */
export async function prepareDemo(context) {
  const { paths, progress } = context;
  const folder = demoFolder(paths);
  if (!which("git")) await install(["git"], "Installing git", progress);
  const record = await readRecord(folder);
  record.image = await imageFor(record, context);
  record.port ??= await freePort(8300);
  await writeRecord(folder, record);

  const repositories = join(folder, "repos");
  for (const name of await readdir(join(HERE, "repos"))) {
    await provideRepository(join(HERE, "repos", name), join(repositories, name), progress);
  }
  const backup = join(folder, "backup");
  await mkdir(backup, { recursive: true });

  const registry = await readFile(join(HERE, "repoman.toml"), "utf8");
  await writeUnlessChanged(
    folder,
    record,
    "repoman.toml",
    filled(registry, {
      REPOS: repositories,
      BACKUP: backup,
      IMAGE: record.image,
      PORT: String(record.port),
    }),
  );
  for (const name of await readdir(join(HERE, "profiles.d"))) {
    const file = join("profiles.d", name);
    await writeUnlessChanged(folder, record, file, await readFile(join(HERE, file), "utf8"));
  }
  return { registry: join(folder, "repoman.toml"), stack: "demo", image: record.image };
}

/**
 * The image is chosen once: another one would mean other containers.
 *
 * @param {Written} record
 * @param {Context} context
 * @returns {Promise<string>}
 */
async function imageFor({ image }, context) {
  const { socket } = locate(context.paths, context.env);
  if (!image) return systemImage(socket, context);
  if (image.includes(":")) return image;
  const alias = await new Api(socket).find(`/1.0/images/aliases/${encodeURIComponent(image)}`);
  // A server that was made anew does not have it any more.
  return alias ? image : provideLocalImage(socket, context);
}

/**
 * @param {string} template
 * @param {string} target made whole or not at all
 * @param {Progress} progress
 */
async function provideRepository(template, target, progress) {
  if (await exists(target)) return;
  progress.step(`Making the repository ${target}`);
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  // Beside the repositories, where nobody takes a half-made one for one of them.
  const work = await mkdtemp(join(dirname(parent), ".making."));
  try {
    await cp(template, work, { recursive: true });
    await git(work, "init", "--quiet", "--template=", "--initial-branch=main");
    await git(work, "add", "--all");
    await git(work, "commit", "--quiet", "--message", "Begin");
    await rename(work, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * git with an author of its own and none of the user's settings: signing, hooks and templates are
 * for their own work.
 *
 * @param {string} folder
 * @param {string[]} args
 */
async function git(folder, ...args) {
  const who = { NAME: "repoman demo", EMAIL: "demo@repoman.invalid" };
  const identity = Object.entries(who).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  const finished = await run(["git", "-C", folder, ...args], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      ...Object.fromEntries(identity),
    },
  });
  if (finished.code === 0) return;
  throw new Fault(
    `The demo's repository could not be made (git ${args[0]}): ${lastWords(finished)}`,
    {
      remedy: "mend that and start again",
      exitCode: EXIT.environment,
    },
  );
}

/**
 * @param {string} template
 * @param {Record<string, string>} values
 */
function filled(template, values) {
  return template.replaceAll(/@([A-Z]+)@/g, (_, name) => {
    // What JSON escapes in a string, TOML reads the same way.
    return JSON.stringify(values[name] ?? "")
      .slice(1, -1)
      .replaceAll("\x7f", "\\u007f");
  });
}

/**
 * @param {string} folder
 * @param {Written} record
 * @param {string} name
 * @param {string} content
 */
async function writeUnlessChanged(folder, record, name, content) {
  const file = join(folder, name);
  const now = (await exists(file)) ? sha256(await readFile(file)) : undefined;
  const wanted = sha256(content);
  if (now !== undefined && now !== wanted && now !== record.files[name]) return;
  if (now !== wanted) await writeFileAtomic(file, content);
  if (record.files[name] === wanted) return;
  record.files[name] = wanted;
  await writeRecord(folder, record);
}

/** @param {string | Uint8Array} content */
const sha256 = (content) => createHash("sha256").update(content).digest("hex");

/** @param {string} folder */
const recordFile = (folder) => join(folder, ".written.json");

/** @param {string} folder @returns {Promise<Written>} */
async function readRecord(folder) {
  try {
    return { files: {}, ...JSON.parse(await readFile(recordFile(folder), "utf8")) };
  } catch {
    return { files: {} };
  }
}

/** @param {string} folder @param {Written} record */
async function writeRecord(folder, record) {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  const old = await readFile(recordFile(folder), "utf8").catch(() => "");
  if (text !== old) await writeFileAtomic(recordFile(folder), text);
}

/**
 * @param {number} from
 * @returns {Promise<number>} the first TCP port from there that nobody listens on at loopback
 */
async function freePort(from) {
  for (let port = from; port < from + 500; port++) {
    const free = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Fault(`Every port from ${from} to ${from + 499} is taken on this host`, {
    remedy: "free one of them: the demo's page needs it",
    exitCode: EXIT.environment,
  });
}
