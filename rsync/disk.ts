import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { z } from "zod";
import { ask, errorText } from "../host/child.ts";
import { writeFileAtomic } from "../host/files.js";
import { type Mount, readMounts, topmostMount } from "../host/mountinfo.ts";
import type { DiskIdentity } from "./types.ts";

/** The file at the top of a backup disk that says whose copies these are. */
export const MARKER = ".repoman-backup.json";

/**
 * The folder on the disk for what is under way. Its only entry is named by the marker's id: a
 * process that could change into it stands on the right disk.
 */
export const SCRATCH = ".repoman";

const markerShape = z.object({
  schema: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  host: z.string(),
  stack: z.string(),
  created: z.string(),
});
export type Marker = z.infer<typeof markerShape>;

/** What the file system of the disk can keep. */
export interface Abilities {
  acls: boolean;
  /** `user`: only the `user.*` ones. */
  xattrs: "all" | "user" | "none";
  /** Times finer than a second. */
  nanoseconds: boolean;
}

const diskRecordShape = z.object({
  schema: z.literal(1),
  backupRoot: z.string(),
  disk: z.object({
    id: z.string(),
    mountPoint: z.string(),
    fstype: z.string(),
    source: z.string(),
  }),
  abilities: z.object({
    acls: z.boolean(),
    xattrs: z.enum(["all", "user", "none"]),
    nanoseconds: z.boolean(),
  }),
});
/** What this host remembers of a disk. */
export type DiskRecord = z.infer<typeof diskRecordShape>;

/** What lies at a backup root now. */
export type Disk =
  | {
      ok: true;
      /** `backupRoot` without symbolic links. */
      root: string;
      device: string;
      mount: Mount;
      mounts: readonly Mount[];
      marker: Marker | "unreadable" | undefined;
    }
  /** `missing`: there is no such folder; `silent`: it did not answer in time. */
  | { ok: false; reason: string; remedy: string; missing?: true; silent?: true };

/** How long an answer, or none, counts for the next who asks, in ms: many repositories ask in a row. */
const ANSWER_LASTS = 1_000;

interface Answer {
  disk: Promise<Disk>;
  until: number;
  /** Those that were there when it was asked. */
  mounts: readonly Mount[];
}

const answers = new Map<string, Answer>();

/**
 * Looks at a backup disk, which wakes its automount. Changes nothing, and answers within some
 * three times `timeoutMs` whatever the disk does. Questions about one disk at one time are one;
 * a good answer counts a moment longer, as long as the same mount is there, and so does silence, as
 * long as nothing was mounted. That endangers nothing: whatever writes stands in a folder that only
 * the right disk has.
 *
 * @param options.fresh asks the disk itself
 */
export async function inspectDisk(
  backupRoot: string,
  timeoutMs: number,
  { fresh = false } = {},
): Promise<Disk> {
  const asked = answers.get(backupRoot);
  if (asked && !fresh && performance.now() < asked.until) {
    const asksNow = asked.until === Number.POSITIVE_INFINITY;
    const disk = await asked.disk;
    if (asksNow || isStillThere(disk)) return disk;
    if (!disk.ok && disk.silent && asked.mounts === readMounts()) return disk;
  }
  const answer: Answer = {
    disk: inspect(backupRoot, timeoutMs),
    until: Number.POSITIVE_INFINITY,
    mounts: readMounts(),
  };
  answers.set(backupRoot, answer);
  try {
    return await answer.disk;
  } finally {
    answer.until = performance.now() + ANSWER_LASTS;
  }
}

/** Only of a disk that is marked: whoever has mounted the right one instead is not to be refused. */
function isStillThere(disk: Disk): boolean {
  if (!disk.ok || typeof disk.marker !== "object") return false;
  const { root, mount } = disk;
  const now = topmostMount(readMounts(), root);
  return now !== undefined && now.id === mount.id && now.source === mount.source;
}

async function inspect(backupRoot: string, timeoutMs: number): Promise<Disk> {
  const silent = {
    ok: false as const,
    silent: true as const,
    reason: `The backup disk at ${backupRoot} does not answer within ${timeoutMs / 1000} s`,
    remedy: "Check the file server and the network, or the automounter, then run it again.",
  };
  // The dot makes the lookup enter the folder, which is what wakes an automount.
  const entered = await ask(["stat", "-L", "--printf=%F\\0%d", "--", `${join(backupRoot, "/")}.`], {
    timeoutMs,
  });
  if (entered.timedOut) return silent;
  if (entered.startError) return cannotAsk("stat", entered.startError);
  const [type, device] = entered.stdout.toString().split("\0");
  if (entered.code !== 0 || device === undefined) {
    return {
      ok: false,
      reason: `The backup root ${backupRoot} cannot be reached: ${errorText(entered.stderr)}`,
      remedy: "Mount the backup disk. To begin with a new one: repoman backup init",
      ...(errorText(entered.stderr) === "No such file or directory" && { missing: true as const }),
    };
  }
  if (type !== "directory") {
    return {
      ok: false,
      reason: `The backup root ${backupRoot} is not a directory but a ${type}`,
      remedy: "Set backup_root to a folder.",
    };
  }
  const resolved = await ask(["realpath", "-ez", "--", backupRoot], { timeoutMs });
  if (resolved.timedOut) return silent;
  const root = resolved.stdout.toString().replace(/\0$/, "");
  const mounts = readMounts();
  const mount = root.startsWith("/") ? topmostMount(mounts, root) : undefined;
  if (!mount || mount.fstype === "autofs") {
    return {
      ok: false,
      reason: `The automounter at ${mount?.mountPoint ?? backupRoot} mounted nothing`,
      remedy: "See the automounter's log (journalctl -u autofs) and the file server.",
    };
  }
  const read = await ask(["cat", "--", join(root, MARKER)], { timeoutMs });
  if (read.timedOut) return silent;
  if (read.code !== 0 && !read.stderr.endsWith("No such file or directory")) {
    return {
      ok: false,
      reason: `The marker ${join(root, MARKER)} cannot be read: ${errorText(read.stderr)}`,
      remedy: "Make the backup root readable for this user.",
    };
  }
  const marker = read.code === 0 ? parseMarker(read.stdout.toString()) : undefined;
  return { ok: true, root, device, mount, mounts, marker };
}

function cannotAsk(program: string, error: NodeJS.ErrnoException): Disk & { ok: false } {
  return {
    ok: false,
    reason: `${program} cannot be started: ${error.message}`,
    remedy: "Install the package coreutils.",
  };
}

function parseMarker(text: string): Marker | "unreadable" {
  try {
    return markerShape.parse(JSON.parse(text));
  } catch {
    return "unreadable";
  }
}

/** Where this host keeps what it knows of the disk at a backup root. */
export function diskRecordFile(recordsDir: string, backupRoot: string): string {
  const path = normalize(backupRoot).replace(/(.)\/+$/, "$1");
  const slug = path.replace(/[^A-Za-z0-9]+/g, "-").slice(-40);
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 12);
  return join(dirname(recordsDir), "disks", `${slug}-${hash}.json`);
}

/**
 * @returns undefined when no run has claimed or recognised a disk there yet. A record that cannot
 *   be read is not that: it must not become a first use.
 */
export async function readDiskRecord(
  recordsDir: string,
  backupRoot: string,
): Promise<DiskRecord | "unreadable" | undefined> {
  try {
    const text = readFileSync(diskRecordFile(recordsDir, backupRoot), "utf8");
    return diskRecordShape.parse(JSON.parse(text));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "unreadable";
  }
}

export async function writeDiskRecord(recordsDir: string, record: DiskRecord): Promise<void> {
  await writeFileAtomic(
    diskRecordFile(recordsDir, record.backupRoot),
    `${JSON.stringify(record, null, 2)}\n`,
    { mode: 0o600 },
  );
}

/** The identity of an inspected disk. */
export function identityOf(marker: Marker, mount: Mount): DiskIdentity {
  return {
    id: marker.id,
    mountPoint: mount.mountPoint,
    fstype: mount.fstype,
    source: mount.source,
  };
}
