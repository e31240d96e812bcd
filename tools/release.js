import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { EXIT, Fault } from "../host/fault.js";
import { download } from "./download.js";
import { must } from "./run.js";

/**
 * A place that holds a release and, made by the same people, the checksums of its files.
 *
 * @typedef {{ tarball: string, checksums: string }} Place addresses
 */

/**
 * Where the release of Pulumi for this machine lies: two places with the same files.
 *
 * @param {string} version
 * @param {NodeJS.ProcessEnv} env `REPOMAN_PULUMI_RELEASES` names another place (a mirror) with the
 *   files under their own names, or is `none`
 * @returns {Place[]}
 */
export function pulumiPlaces(version, env) {
  const named = env.REPOMAN_PULUMI_RELEASES;
  const arch = { x64: "x64", arm64: "arm64" }[/** @type {string} */ (process.arch)];
  if (named === "none" || !arch) return [];
  const bases = named
    ? [named.replace(/\/$/, "")]
    : [
        "https://get.pulumi.com/releases/sdk",
        `https://github.com/pulumi/pulumi/releases/download/v${version}`,
      ];
  return bases.map((base) => ({
    tarball: `${base}/pulumi-v${version}-linux-${arch}.tar.gz`,
    checksums: `${base}/pulumi-${version}-checksums.txt`,
  }));
}

/**
 * Where the release of a provider's plugin lies.
 *
 * @param {string} name such as `command`
 * @param {string} version
 * @param {NodeJS.ProcessEnv} env as for `pulumiPlaces`
 * @returns {Place[]}
 */
export function pluginPlaces(name, version, env) {
  const named = env.REPOMAN_PULUMI_RELEASES;
  const arch = { x64: "amd64", arm64: "arm64" }[/** @type {string} */ (process.arch)];
  if (named === "none" || !arch) return [];
  const base =
    named?.replace(/\/$/, "") ??
    `https://github.com/pulumi/pulumi-${name}/releases/download/v${version}`;
  return [
    {
      tarball: `${base}/pulumi-resource-${name}-v${version}-linux-${arch}.tar.gz`,
      checksums: `${base}/pulumi-${name}_${version}_checksums.txt`,
    },
  ];
}

/**
 * Unpacks a release into a folder, after its checksum was compared.
 *
 * @param {readonly Place[]} places tried in turn
 * @param {string} folder made; what is in it after a failure is for the caller to remove
 * @param {object} options
 * @param {string} options.node a Node >= 22.18
 * @param {NodeJS.ProcessEnv} options.env
 * @param {readonly string[]} options.tar further arguments: what to unpack, and how
 * @param {(text: string) => void} [options.onProgress]
 * @returns {Promise<string | undefined>} why it could not be had, undefined when it is there
 * @throws {Fault} where a file is not what the checksums say
 */
export async function unpackRelease(places, folder, { node, env, tar, onProgress }) {
  await mkdir(folder, { recursive: true });
  /** @type {string[]} */
  const reasons = [];
  for (const { tarball, checksums } of places) {
    const name = basename(tarball);
    const file = join(folder, name);
    const sums = join(folder, "checksums.txt");
    onProgress?.(`asking ${new URL(tarball).host}`);
    const unreachable = await download(checksums, sums, { node, env });
    if (unreachable) {
      reasons.push(`${checksums}: ${unreachable}`);
      continue;
    }
    const expected = checksumOf(name, await readFile(sums, "utf8"));
    if (!expected) {
      // A log-in page of the network answers anything with a page.
      reasons.push(`${checksums}: names no ${name}`);
      continue;
    }
    const trouble = await download(tarball, file, {
      node,
      env,
      onProgress: (text) => onProgress?.(`downloading, ${text}`),
    });
    if (trouble) {
      reasons.push(`${tarball}: ${trouble}`);
      continue;
    }
    onProgress?.("comparing the checksum");
    const actual = await sha256(file);
    if (actual !== expected) throw mismatch(tarball, expected, actual);
    onProgress?.("unpacking");
    await must(
      `${name} could not be unpacked`,
      "tar",
      ["--extract", "--gzip", "--file", file, "--directory", folder, "--no-same-owner", ...tar],
      { env, timeoutMs: 10 * 60_000 },
    );
    await rm(file);
    await rm(sums);
    return undefined;
  }
  return reasons.join("; ") || "there is none for this machine, or it is not wanted";
}

/**
 * @param {string} file
 * @param {string} sums lines of `<sha256>  <name>`
 */
export function checksumOf(file, sums) {
  for (const line of sums.split("\n")) {
    const [sum = "", name = ""] = line.trim().split(/\s+\*?/);
    if (name === file && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  return undefined;
}

/** @param {string} file */
async function sha256(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/**
 * @param {string} url
 * @param {string} expected
 * @param {string} actual
 */
function mismatch(url, expected, actual) {
  return new Fault(`${url} is not what its release says: sha256 ${actual}, expected ${expected}`, {
    remedy:
      "It was removed. Run it again; if it stays so, something on the way alters files.\n" +
      "With REPOMAN_PULUMI_RELEASES=none Pulumi is built from source instead.",
    exitCode: EXIT.environment,
  });
}
