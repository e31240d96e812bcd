import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { writeFileAtomic } from "../../host/files.js";
import { asRoot, lastWords, which } from "./process.js";

/**
 * A container's id map may name only ids that /etc/subuid and /etc/subgid lend to root. Mounting a
 * repository with its owner's own id (`raw.idmap`) therefore needs that one id lent; everything
 * else inside stays within root's large range.
 *
 * The files are shared with useradd and others, so shadow's own tool edits them: it takes the lock
 * that they all heed, replaces the file whole, and keeps a copy at /etc/subuid-.
 *
 * @typedef {{ start: number, count: number }} Range
 */

const KINDS = /** @type {const} */ (["uid", "gid"]);
const BASE = { start: 1_000_000, count: 1_000_000_000 };

/**
 * What is missing from one of the files.
 *
 * @param {string} text the file
 * @param {number[]} ids to be lent one by one
 * @returns {Range[]} what to add for root, in order
 */
export function missingRanges(text, ids) {
  const entries = text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim().split(":"))
    .filter((fields) => fields.length >= 3)
    .map(([owner, start, count]) => ({ owner, start: Number(start), count: Number(count) }));
  const roots = entries.filter(({ owner }) => owner === "root" || owner === "0");
  /** @type {Range[]} */
  const missing = [];
  // Containers take their ids from root's first large range; single ids are not one.
  if (!roots.some(({ count }) => count >= 65_536)) {
    const ends = entries.map(({ start, count }) => start + count);
    missing.push({ ...BASE, start: Math.max(BASE.start, ...ends) });
  }
  for (const id of new Set(ids)) {
    // Ids of root and of nobody are never lent.
    if (id === 0 || id === 65_534) continue;
    if (!roots.some(({ start, count }) => start <= id && id < start + count)) {
      missing.push({ start: id, count: 1 });
    }
  }
  return missing;
}

/**
 * Lends users' ids to containers, as `raw.idmap` needs. Nothing happens where they are lent
 * already.
 *
 * @param {object} options
 * @param {number} [options.uid] of the user; this process's unless given
 * @param {number} [options.gid]
 * @param {{ uid: number, gid: number }[]} [options.owners] of repositories, besides
 * @param {{ step(text: string): void }} options.progress told what is added and why
 * @param {string} [options.root] the machine's root folder
 * @param {string} [options.record] file in which single ids that are added are noted, so that they
 *   can be taken back one day
 * @returns {Promise<boolean>} whether something was added
 * @throws {Fault} (exit 3)
 */
export async function ensureSubIds({ progress, root = "/", owners = [], record, ...user }) {
  const everyone = [{ ...own(), ...defined(user) }, ...owners];
  const missing = KINDS.flatMap((kind) =>
    missingRanges(
      read(fileOf(kind, root)),
      everyone.map((owner) => owner[kind]),
    ).map((range) => ({ ...range, kind })),
  );
  if (missing.length === 0) return false;
  for (const { kind, start, count } of missing) {
    const why =
      count === 1
        ? `so that files in a container can belong to ${kind} ${start} of this machine`
        : "the ids that containers live under";
    progress.step(`Adding root:${start}:${count} to ${fileOf(kind, root)}: ${why}`);
  }
  // Noted first: what was added without a note would stay for good.
  if (record) await noteLent(record, missing);
  await add(missing, root);
  return true;
}

/** Where this user's set-up notes what it has lent. @param {import("../../host/paths.js").Paths} paths */
export const lentFile = (paths) => join(paths.stateDir, "subids.json");

/** @typedef {{ kind: "uid" | "gid", id: number }} Lent */

/**
 * @param {string} record
 * @param {(Range & { kind: "uid" | "gid" })[]} ranges
 */
async function noteLent(record, ranges) {
  const lent = ranges
    .filter(({ count }) => count === 1)
    .map(({ kind, start: id }) => ({ kind, id }));
  const known = readLent(record);
  const isNew = (/** @type {Lent} */ { kind, id }) =>
    !known.some((each) => each.kind === kind && each.id === id);
  if (lent.some(isNew)) {
    await writeFileAtomic(record, `${JSON.stringify([...known, ...lent.filter(isNew)])}\n`);
  }
}

/**
 * The single ids that were noted as lent by set-up.
 * @param {string} record
 * @returns {Lent[]}
 */
export function readLent(record) {
  const text = read(record);
  return text === "" ? [] : JSON.parse(text);
}

/**
 * Takes back the single ids that set-up has lent. The large range that containers live under
 * stays: any other container on the machine may live under it, too.
 *
 * @param {string} record
 * @param {{ root?: string }} [options]
 * @returns {Promise<string[]>} the lines that are gone
 * @throws {Fault} (exit 3)
 */
export async function takeBackSubIds(record, { root = "/" } = {}) {
  const there = readLent(record).filter(({ kind, id }) =>
    read(fileOf(kind, root)).split("\n").includes(`root:${id}:1`),
  );
  if (there.length > 0) {
    const purpose = "Taking back ids that were lent to containers";
    const program = which("usermod") ?? "usermod";
    const prefix = root === "/" ? [] : ["--prefix", root];
    const flags = there.flatMap(({ kind, id }) => [`--del-sub${kind}s`, `${id}-${id}`]);
    const finished = await asRoot([program, ...prefix, ...flags, "root"], purpose);
    if (finished.code !== 0) {
      throw new Fault(`${purpose} failed: ${lastWords(finished)}`, {
        remedy: `run it by hand: sudo ${[program, ...flags, "root"].join(" ")}`,
        exitCode: EXIT.environment,
      });
    }
  }
  rmSync(record, { force: true });
  return there.map(({ kind, id }) => `root:${id}:1 in ${fileOf(kind, root)}`);
}

/**
 * Whether `ensureSubIds` has nothing to do.
 * @param {{ uid: number, gid: number }} [user]
 */
export function subIdsAreSet(user = own()) {
  return (
    missingRanges(read("/etc/subuid"), [user.uid]).length === 0 &&
    missingRanges(read("/etc/subgid"), [user.gid]).length === 0
  );
}

const own = () => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });

/** @param {{ uid?: number | undefined, gid?: number | undefined }} user */
const defined = ({ uid, gid }) => ({
  ...(uid === undefined ? {} : { uid }),
  ...(gid === undefined ? {} : { gid }),
});

/**
 * @param {(Range & { kind: "uid" | "gid" })[]} missing
 * @param {string} root
 */
async function add(missing, root) {
  const purpose = "Lending ids to containers (/etc/subuid, /etc/subgid)";
  const program = which("usermod");
  if (!program) {
    const lines = missing.map(
      ({ kind, start, count }) => `root:${start}:${count} to ${fileOf(kind, root)}`,
    );
    throw new Fault(`${purpose} needs usermod, which is missing`, {
      remedy: `add these lines: ${lines.join(", ")}`,
      exitCode: EXIT.environment,
    });
  }
  for (const file of KINDS.map((kind) => fileOf(kind, root))) {
    // It adds to an existing file only.
    if (!existsSync(file)) await asRoot(["touch", file], purpose);
  }
  const prefix = root === "/" ? [] : ["--prefix", root];
  const flags = missing.flatMap(({ kind, start, count }) => [
    `--add-sub${kind}s`,
    `${start}-${start + count - 1}`,
  ]);
  const finished = await asRoot([program, ...prefix, ...flags, "root"], purpose);
  if (finished.code === 0) return;
  throw new Fault(`${purpose} failed: ${lastWords(finished)}`, {
    remedy: `run it by hand: sudo ${[program, ...flags, "root"].join(" ")}`,
    exitCode: EXIT.environment,
  });
}

/** @param {"uid" | "gid"} kind @param {string} root */
const fileOf = (kind, root) => join(root, "etc", `sub${kind}`);

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return "";
    throw error;
  }
}
