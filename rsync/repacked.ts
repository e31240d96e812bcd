import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { ask } from "../host/child.ts";
import { bytesOf, type GitFolder, join1, objectsOf } from "./git.ts";
import { namesIn } from "./names.ts";
import { PackIndex } from "./pack-index.ts";

/** What a copy would lose of one object store. */
interface Loss {
  /** Entries of any kind. */
  entries: number;
  /** Names of loose objects, hexadecimal. */
  loose: string[];
  /** Paths of pack indexes below the store. */
  indexes: string[];
}

interface Places {
  source: string;
  copy: string;
  /** Folder of this host; it is there. */
  work: string;
  /** In percent of the objects. */
  allowedLoss: number;
  timeoutMs: number;
}

const LOOSE = /^([0-9a-f]{2})\/([0-9a-f]{38}|[0-9a-f]{62})$/;
const INDEX = /^pack\/pack-[0-9a-f]+\.idx$/;

/**
 * How many of the entries that the copy would lose are of object stores in which git has only packed
 * or pruned: of what they hold, the source has all but a small share, packed otherwise. An object
 * that the copy has twice, loose and packed, since a run broke off in between, is one.
 *
 * @param list file of NUL-terminated paths
 */
export async function countRepacked(
  list: string,
  folders: readonly GitFolder[],
  places: Places,
): Promise<number> {
  const losses = new Map<GitFolder, Loss>();
  for await (const name of namesIn(list)) {
    const folder = folders.find((candidate) => name.startsWith(objectsOf(candidate)));
    if (!folder) continue;
    const loss = losses.get(folder) ?? { entries: 0, loose: [], indexes: [] };
    losses.set(folder, loss);
    loss.entries += 1;
    const below = name.slice(objectsOf(folder).length);
    if (LOOSE.test(below)) loss.loose.push(below.replace("/", ""));
    else if (INDEX.test(below)) loss.indexes.push(below);
  }
  let repacked = 0;
  for (const [folder, loss] of losses) {
    const share = await lostShare(folder, loss, places).catch(() => Number.POSITIVE_INFINITY);
    if (share * 100 <= places.allowedLoss) repacked += loss.entries;
  }
  return repacked;
}

/** @throws Error when an index cannot be read: then nothing is known */
async function lostShare(folder: GitFolder, loss: Loss, places: Places): Promise<number> {
  const store = bytesOf(places.source, join1(folder.path, "objects"));
  const open: PackIndex[] = [];
  try {
    const kept = sourceIndexes(store).map(([file, hash]) => {
      const index = new PackIndex(file, hash);
      open.push(index);
      return index;
    });
    const gone: PackIndex[] = [];
    for (const index of loss.indexes) {
      const copied = await fetchIndex(folder, index, places);
      gone.push(copied);
      open.push(copied);
    }
    return await compareObjects(store, loss.loose, { kept, gone });
  } finally {
    for (const index of open) index.close();
  }
}

/** The share of what would go that is nowhere in the source. A byte at a time, so that memory stays bounded. */
async function compareObjects(
  store: Buffer,
  loose: readonly string[],
  { kept, gone }: { kept: PackIndex[]; gone: PackIndex[] },
): Promise<number> {
  const byFirst = Map.groupBy(loose, (name) => Number.parseInt(name.slice(0, 2), 16));
  let lost = 0;
  let there = 0;
  for (let first = 0; first < 256; first++) {
    const has = new Set(kept.flatMap((index) => index.names(first)));
    const wanted = (byFirst.get(first) ?? []).map(asBytes);
    const packed = gone.flatMap((index) => index.names(first));
    for (const name of looseIn(store, first)) has.add(name);
    there += has.size;
    const missing = new Set([...wanted, ...packed].filter((name) => !has.has(name)));
    lost += missing.size;
    // There may be millions.
    await turn();
  }
  return lost === 0 ? 0 : lost / (lost + there);
}

const asBytes = (hex: string) => Buffer.from(hex, "hex").toString("latin1");

function looseIn(store: Buffer, first: number): string[] {
  const folder = first.toString(16).padStart(2, "0");
  try {
    return readdirSync(Buffer.concat([store, Buffer.from(`/${folder}`)]), "latin1").flatMap(
      (name) => (LOOSE.test(`${folder}/${name}`) ? [asBytes(folder + name)] : []),
    );
  } catch {
    return [];
  }
}

/** The indexes of a store, and the bytes of an object's name in each. */
function sourceIndexes(store: Buffer): [Buffer, number][] {
  const packs = Buffer.concat([store, Buffer.from("/pack")]);
  let names: string[] = [];
  try {
    names = readdirSync(packs, "latin1");
  } catch {
    // No pack was ever made.
  }
  return names.flatMap((name) =>
    INDEX.test(`pack/${name}`)
      ? [[Buffer.concat([packs, Buffer.from(`/${name}`)]), hashBytes(name)] as [Buffer, number]]
      : [],
  );
}

/** Packs are named by a hash of the kind that their objects are named by. */
function hashBytes(index: string): number {
  return (/([0-9a-f]+)\.idx$/.exec(index)?.[1]?.length ?? 40) / 2;
}

/** Brings an index from the disk, which may hang, by a child that can be left behind. */
async function fetchIndex(folder: GitFolder, index: string, places: Places): Promise<PackIndex> {
  // A name that is not UTF-8 cannot be handed to a program from here; it gets no leniency.
  const path = Buffer.from(folder.path, "latin1").toString();
  const from = join(places.copy, path, "objects", index);
  const local = join(places.work, "index");
  const copied = await ask(["cp", "-T", "--", from, local], { timeoutMs: places.timeoutMs });
  if (copied.code !== 0) throw new Error(copied.stderr);
  try {
    return new PackIndex(local, hashBytes(index));
  } finally {
    // Open it stays readable.
    await rm(local, { force: true });
  }
}
