import { createHash } from "node:crypto";
import { chmodSync, createReadStream, statfsSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { EXIT, Fault } from "../../host/fault.js";
import { exists } from "../../host/files.js";
import { withCleanUp } from "../incus/interrupt.js";
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
  const place = plainFolder(folder);
  await mkdir(place, { recursive: true });
  refuseSmallDisk(place);
  const tools = await buildTools(plainFolder(cacheDir), progress);
  const debs = join(place, "debs");
  await mkdir(debs, { recursive: true });
  const work = await mkdtemp(join(place, "work."));
  const stop = new AbortController();
  /** @type {ReturnType<typeof run> | undefined} */
  let running;
  return withCleanUp(
    async () => {
      await addBuildFiles(plan, work);
      progress.step(`Downloading the packages of ${plan.os} ${plan.release} from ${plan.mirror}`);
      running = run(
        [
          ...[...tools.fakeroot, "--", "sh", LAY_OUT, ...tools.debootstrap],
          ...["--foreign", "--variant=minbase", `--arch=${plan.architecture}`],
          ...[`--components=${plan.components.join(",")}`, `--include=${plan.packages.join(",")}`],
          ...[`--cache-dir=${debs}`, plan.codename, "rootfs", plan.mirror],
        ],
        {
          cwd: work,
          env: environment(plan, tools, work),
          timeoutMs: 30 * 60_000,
          signal: stop.signal,
        },
      );
      const finished = await running;
      if (finished.code !== 0) throw refused(plan, lastWords(finished, 4));
      await moveFile(join(work, "image.tar"), tarball);
      // They served to go on after an interruption.
      await rm(debs, { recursive: true, force: true });
      return tarball;
    },
    async () => {
      stop.abort();
      await running;
      await rm(work, { recursive: true, force: true });
    },
  );
}

const LAY_OUT = fileURLToPath(new URL("lay-out", import.meta.url));

/**
 * Neither fakeroot nor debootstrap was written for paths with blanks.
 * @param {string} folder
 */
function plainFolder(folder) {
  if (/^[\w./+@-]+$/.test(folder)) return folder;
  return join(tmpdir(), `repoman-${userInfo().uid}`);
}

/**
 * @param {Recipe} plan
 * @param {import("./tools.js").Tools} tools
 * @param {string} home
 */
function environment(plan, tools, home) {
  return {
    ...proxies(process.env),
    ...(plan.proxy ? { http_proxy: plan.proxy } : {}),
    ...tools.env,
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: home,
    LC_ALL: "C",
    // debootstrap makes devices and mounts as the kind of place asks for where it believes to be:
    // an LXC container is where the second half really runs.
    container: "lxc",
  };
}

/** @param {string} from @param {string} to perhaps on another file system, and then still made whole */
async function moveFile(from, to) {
  try {
    await rename(from, to);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EXDEV") throw error;
    await copyFile(from, `${to}.tmp`);
    await rename(`${to}.tmp`, to);
  }
}

/** @param {Recipe} plan @param {string} folder */
export const unfinishedImage = (plan, folder) => join(folder, `${basename(plan)}.unfinished.tar`);

/** @param {Recipe} plan @param {string} folder */
export const finishedImage = (plan, folder) => join(folder, `${basename(plan)}.tar.gz`);

/** @param {Recipe} plan */
const basename = ({ alias, key }) => `${alias.replace(/^repoman\//, "")}-${key}`;

/** @param {Recipe} plan @param {string} work */
async function addBuildFiles(plan, work) {
  const build = join(work, "repoman-build");
  await cp(BUILD, build, { recursive: true });
  for (const [name, content] of Object.entries(hostFiles(plan))) {
    const file = join(build, "files", name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await writeFile(join(build, "image", "metadata.yaml"), metadata(plan));
  // With this one Incus starts the container of the second half.
  // Its properties come from here: given to `incus image import` for an image that has none of its
  // own, they crash the daemon (Incus 6.0.4).
  const bare = {
    architecture: plan.machine,
    creation_date: "@DATE@",
    properties: { description: "half built by repoman", [MARK]: basename(plan) },
  };
  await writeFile(join(work, "metadata.yaml"), JSON.stringify(bare));
  // A checkout may have been made with any umask.
  for (const script of ["init", "install", "pack"]) chmodSync(join(build, script), 0o755);
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
