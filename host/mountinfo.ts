import { readFileSync } from "node:fs";

/** What is mounted over a path. */
export interface MountFacts {
  mountPoint: string;
  fstype: string;
  source: string;
}

/** One line of `/proc/self/mountinfo` (proc(5)). */
export interface Mount extends MountFacts {
  id: number;
  parent: number;
  /** Major and minor number, such as `8:1`; the major one is 0 for what is no block device. */
  device: string;
  /** Options of the mount and of its file system, such as `ro`. */
  options: string[];
}

/** The kernel writes space, tab, newline and backslash (and `#`) in names as `\040` and the like. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Reads the text of a mountinfo file; lines that are not of its form are left out. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const separator = line.indexOf(" - ");
    if (separator < 0) continue;
    const [id, parent, device, , mountPoint, options] = line.slice(0, separator).split(" ");
    // The source may be empty, so that two spaces follow each other.
    const [fstype, source, superOptions] = line.slice(separator + 3).split(" ");
    if (mountPoint === undefined || fstype === undefined) continue;
    mounts.push({
      id: Number(id),
      parent: Number(parent),
      device: device ?? "",
      mountPoint: unescapeOctal(mountPoint),
      fstype: unescapeOctal(fstype),
      source: unescapeOctal(source ?? ""),
      options: [...(options ?? "").split(","), ...(superOptions ?? "").split(",")],
    });
  }
  return mounts;
}

/** Whether `path` is `folder` or lies below it; both absolute and normalised. */
export function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/**
 * The mount that a lookup of `path` ends in. Mounts may be stacked on one folder, and a later
 * mount on a parent hides the ones below it; so this walks down the tree of mounts as the kernel
 * does instead of taking the longest matching mount point.
 *
 * @param path absolute and free of symbolic links
 */
export function topmostMount(mounts: readonly Mount[], path: string): Mount | undefined {
  const ids = new Set(mounts.map((mount) => mount.id));
  let current = mounts.find(
    (mount) => mount.mountPoint === "/" && (mount.parent === mount.id || !ids.has(mount.parent)),
  );
  const seen = new Set<number>();
  while (current && !seen.has(current.id)) {
    seen.add(current.id);
    const here: Mount = current;
    let next: Mount | undefined;
    for (const mount of mounts) {
      if (mount.parent !== here.id || seen.has(mount.id)) continue;
      if (!isWithin(path, mount.mountPoint)) continue;
      // The lookup meets the shallowest mount point first; of two on one folder the later counts.
      if (!next || mount.mountPoint.length <= next.mountPoint.length) next = mount;
    }
    if (!next) return here;
    current = next;
  }
  return current;
}

/**
 * This process's mounts. Reading them never waits for a file system; they are read once in a turn
 * of the event loop, and parsed when they have changed, since each of many repositories asks for
 * them several times.
 */
export function readMounts(): readonly Mount[] {
  if (isRead) return latest.mounts;
  const text = readFileSync("/proc/self/mountinfo", "utf8");
  if (text !== latest.text) latest = { text, mounts: parseMountinfo(text) };
  isRead = true;
  setImmediate(() => {
    isRead = false;
  });
  return latest.mounts;
}

let latest: { text: string; mounts: readonly Mount[] } = { text: "", mounts: [] };
let isRead = false;

/** File systems whose answers do not hang on another machine or process. */
const LOCAL = new Set(["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "tmpfs"]);

/**
 * Whether a lookup of `path` meets local file systems only, so that it may be made in this process,
 * which is a good deal quicker than a child that can be left behind.
 *
 * @param path absolute and free of symbolic links
 */
export function isLocal(mounts: readonly Mount[], path: string): boolean {
  const names = path.split("/").slice(1);
  const steps = ["/", ...names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`)];
  return steps.every((step) => {
    const mount = topmostMount(mounts, step);
    return mount !== undefined && isOfLocalType(mount);
  });
}

/** Whether a mount's file system is of a kind that does not wait for another machine or process. */
export function isOfLocalType({ fstype }: MountFacts): boolean {
  return LOCAL.has(fstype);
}

/** The part of a mount that is kept in records. */
export function factsOf({ mountPoint, fstype, source }: MountFacts): MountFacts {
  return { mountPoint, fstype, source };
}
