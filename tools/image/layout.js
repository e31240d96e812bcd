import { createHash } from "node:crypto";
import { chmodSync, createReadStream, statfsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { EXIT, Fault } from "../../host/fault.js";
import { exists } from "../../host/files.js";
import { lastWords, run } from "../incus/process.js";
import { BUILD, hostFiles, metadata } from "./recipe.js";
import { buildTools } from "./tools.js";

/** @typedef {import("./recipe.js").Recipe} Recipe */
/** @typedef {{ step(text: string): void }} Progress */

/** On everything in Incus that exists only while an image is built: which one. */
export const MARK = "user.repoman.build";

/**
 * The first half of an image, which needs the network but neither root nor a daemon: the packages
 * are downloaded, checked against the archive's key, and laid out, with the scripts of the second
 * half, as an image that can only finish itself.
 *
 * @param {Recipe} plan
 * @param {{ folder: string, cacheDir: string, progress: Progress }} options `folder` is where
 *   images are kept
 * @returns {Promise<string>} the tarball; made only when it is not there yet
 * @throws {Fault} (exit 3)
 */
export async function layOut(plan, { folder, cacheDir, progress }) {
  const tarball = unfinishedImage(plan, folder);
  if (await exists(tarball)) return tarball;
  await mkdir(folder, { recursive: true });
  // The caller holds a lock: these are of builds that were cut off.
  for (const name of await readdir(folder)) {
    if (name.startsWith("work.")) await rm(join(folder, name), { recursive: true, force: true });
  }
  refuseSmallDisk(folder);
  const tools = await buildTools(cacheDir, progress);
  const debs = join(folder, "debs");
  await mkdir(debs, { recursive: true });
  const work = await mkdtemp(join(folder, "work."));
  try {
    progress.step(`Downloading the packages of ${plan.os} ${plan.release} from ${plan.mirror}`);
    const state = join(work, "owners");
    const root = join(work, "rootfs");
    const env = {
      ...proxies(process.env),
      ...(plan.proxy ? { http_proxy: plan.proxy } : {}),
      ...tools.env,
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: work,
      LC_ALL: "C",
      // debootstrap makes devices and mounts as the kind of place asks for where it believes to
      // be: an LXC container is where the second half really runs.
      container: "lxc",
    };
    const laidOut = await run(
      [
        ...[...tools.fakeroot, "-s", state, "--", ...tools.debootstrap],
        ...["--foreign", "--variant=minbase", `--arch=${plan.architecture}`],
        ...[`--components=${plan.components.join(",")}`, `--include=${plan.packages.join(",")}`],
        ...[`--cache-dir=${debs}`, plan.codename, root, plan.mirror],
      ],
      { env, timeoutMs: 30 * 60_000 },
    );
    if (laidOut.code !== 0) throw refused(plan, lastWords(laidOut, 4));
    await addBuildFiles(plan, root);
    const tar = join(work, "image.tar");
    const packed = await run(
      [
        ...[...tools.fakeroot, "-i", state, "--", "tar", "--create", "--file", tar],
        ...["--numeric-owner", "--sort=name", "--directory", work],
        ...["metadata.yaml", "rootfs"],
      ],
      { env: { ...env, PATH: env.PATH }, timeoutMs: 10 * 60_000 },
    );
    if (packed.code !== 0) throw refused(plan, lastWords(packed));
    await rename(tar, tarball);
    // They served to go on after an interruption.
    await rm(debs, { recursive: true, force: true });
    return tarball;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @param {Recipe} plan @param {string} folder */
export const unfinishedImage = (plan, folder) => join(folder, `${basename(plan)}.unfinished.tar`);

/** @param {Recipe} plan @param {string} folder */
export const finishedImage = (plan, folder) => join(folder, `${basename(plan)}.tar.gz`);

/** @param {Recipe} plan */
const basename = ({ alias, key }) => `${alias.replace(/^repoman\//, "")}-${key}`;

/** @param {Recipe} plan @param {string} root */
async function addBuildFiles(plan, root) {
  const date = await releaseDate(root);
  const build = join(root, "repoman-build");
  await cp(BUILD, build, { recursive: true });
  for (const [name, content] of Object.entries(hostFiles(plan))) {
    const file = join(build, "files", name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await writeFile(join(build, "image", "metadata.yaml"), metadata(plan, date));
  await writeFile(join(build, "date"), String(date));
  // With this one Incus starts the container of the second half.
  // Its properties come from here: given to `incus image import` for an image that has none of its
  // own, they crash the daemon (Incus 6.0.4).
  const bare = JSON.stringify({
    architecture: plan.machine,
    creation_date: date,
    properties: { description: "half built by repoman", [MARK]: basename(plan) },
  });
  await writeFile(join(root, "..", "metadata.yaml"), bare);
  // A checkout may have been made with any umask.
  for (const script of ["init", "install", "pack"]) chmodSync(join(build, script), 0o755);
}

/**
 * The day of the archive that the packages came from, so that the same packages make the same
 * image.
 * @param {string} root
 */
async function releaseDate(root) {
  const lists = join(root, "var/lib/apt/lists");
  const name = (await readdir(lists)).find((one) => one.endsWith("Release"));
  const text = name ? await readFile(join(lists, name), "utf8") : "";
  const date = Date.parse(text.match(/^Date: (.+)$/m)?.[1] ?? "");
  return Math.floor((Number.isNaN(date) ? Date.now() : date) / 1000);
}

/** @param {Recipe} plan @param {string} why */
function refused({ os, release, mirror }, why) {
  return new Fault(`An image of ${os} ${release} could not be made from ${mirror}: ${why}`, {
    remedy:
      "check that the mirror can be reached (apt-get update), or import an image and name it in the registry",
    exitCode: EXIT.environment,
  });
}

/** @param {string} folder */
function refuseSmallDisk(folder) {
  const { bavail, bsize } = statfsSync(folder);
  const wanted = 1.5e9;
  if (bavail * bsize >= wanted) return;
  throw new Fault(
    `Building an image takes 1.5 GB, and ${folder} has ${Math.floor((bavail * bsize) / 1e6)} MB free`,
    {
      remedy: "make room there, or set XDG_CACHE_HOME to a folder on a larger disk",
      exitCode: EXIT.environment,
    },
  );
}

/** @param {NodeJS.ProcessEnv} env @returns {Record<string, string>} */
function proxies(env) {
  const entries = Object.entries(env).filter(
    ([name, value]) => value && /^((https?|no|all)_proxy|SSL_CERT_(FILE|DIR))$/i.test(name),
  );
  return Object.fromEntries(/** @type {[string, string][]} */ (entries));
}

/**
 * What Incus will call an image that is one file.
 * @param {string} file
 */
export async function fingerprint(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
