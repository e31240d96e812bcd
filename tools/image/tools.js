import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { install } from "../incus/apt.js";
import { lastWords, run, which } from "../incus/process.js";

/**
 * How to run the two programs that lay out a system without being root.
 *
 * @typedef {object} Tools
 * @property {string[]} debootstrap
 * @property {string[]} fakeroot
 * @property {Record<string, string>} env
 */

const PACKAGES = ["debootstrap", "fakeroot"];

/**
 * The installed ones; else apt installs them; and where this user may not install anything, they
 * are unpacked into the cache, which is all they need.
 *
 * @param {string} cacheDir
 * @param {{ step(text: string): void }} progress
 * @returns {Promise<Tools>}
 * @throws {Fault} (exit 3)
 */
export async function buildTools(cacheDir, progress) {
  const missing = PACKAGES.filter((name) => !which(name));
  if (missing.length > 0) {
    try {
      await install(missing, "Installing what builds an image", progress);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return unpacked(join(cacheDir, "image-tools"), error, progress);
    }
  }
  return {
    debootstrap: [which("debootstrap") ?? "debootstrap"],
    fakeroot: [which("fakeroot") ?? "fakeroot"],
    env: {},
  };
}

/**
 * @param {string} folder
 * @param {Fault} reason why apt could not install them
 * @param {{ step(text: string): void }} progress
 * @returns {Promise<Tools>}
 */
async function unpacked(folder, reason, progress) {
  if (!which("wget")) throw reason;
  if (!existsSync(folder)) {
    progress.step(
      "Unpacking debootstrap and fakeroot into the cache, since they are not installed",
    );
    await mkdir(join(folder, ".."), { recursive: true });
    const work = await mkdtemp(`${folder}.`);
    try {
      const packages = [...PACKAGES, "libfakeroot"];
      const download = await run(["apt-get", "-q", "download", ...packages], { cwd: work });
      const debs = readdirSync(work).filter((name) => name.endsWith(".deb"));
      const root = join(work, "root");
      for (const deb of debs) await run(["dpkg-deb", "--extract", join(work, deb), root]);
      if (debs.length < packages.length) {
        throw new Fault(`${reason.what}; and downloading them failed: ${lastWords(download)}`, {
          remedy: `have an administrator install them: apt-get install ${PACKAGES.join(" ")}`,
          exitCode: EXIT.environment,
        });
      }
      await rename(root, folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const libraries = readdirSync(join(folder, "usr/lib"), { recursive: true, encoding: "utf8" });
  const library = libraries.find((name) => name.endsWith("/libfakeroot-sysv.so")) ?? "";
  return {
    debootstrap: [join(folder, "usr/sbin/debootstrap")],
    fakeroot: [
      join(folder, "usr/bin/fakeroot-sysv"),
      ...["--lib", join(folder, "usr/lib", library)],
      ...["--faked", join(folder, "usr/bin/faked-sysv")],
    ],
    env: { DEBOOTSTRAP_DIR: join(folder, "usr/share/debootstrap") },
  };
}
