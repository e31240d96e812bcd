import { readdir, readFile, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isWithin, type Mount, unescapeOctal } from "../host/mountinfo.ts";

/** Something that this host's configuration wants mounted over a path, and that is not. */
export interface MissingMount {
  mountPoint: string;
  /** What it would mount, where the configuration names it. */
  source?: string;
  /** The file that says so. */
  file: string;
}

interface Declared extends MissingMount {
  /** The mount point of an automounter's indirect map: the automounter itself must be there. */
  automounter?: boolean;
}

/** The mount points of an fstab(5). */
export function parseFstab(text: string, file: string): Declared[] {
  const declared: Declared[] = [];
  for (const line of text.split("\n")) {
    const [source, mountPoint] = line.trim().split(/\s+/).map(unescapeOctal);
    if (!source || source.startsWith("#") || !mountPoint?.startsWith("/")) continue;
    declared.push({ mountPoint: trimSlash(mountPoint), source, file });
  }
  return declared;
}

/** The entries of an auto.master(5), and of a direct map: a key and what it stands for. */
export function parseAutofsMap(text: string): { key: string; value: string }[] {
  const entries: { key: string; value: string }[] = [];
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    const [key, ...rest] = line.trim().split(/\s+/);
    if (!key || key.startsWith("#")) continue;
    const value = rest.filter((word) => !word.startsWith("-")).join(" ");
    entries.push({ key, value });
  }
  return entries;
}

/** A path as systemd.unit(5) writes it in the name of a mount unit. */
export function unitName(path: string): string {
  const inner = path.slice(1);
  let name = "";
  for (const byte of Buffer.from(inner)) {
    const char = String.fromCharCode(byte);
    if (char === "/") name += "-";
    else if (/[A-Za-z0-9:_]/.test(char) || (char === "." && name !== "")) name += char;
    else name += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return name;
}

/**
 * Looks for a mount that fstab, the automounter's maps or a systemd mount unit declares on `path`
 * or above it and that is not there: then the folder at `path` is not the disk, but what lies
 * below its mount point.
 *
 * @param path absolute
 * @param mounts the mounts that are there
 * @param etc for tests
 */
export async function findMissingMount(
  path: string,
  mounts: readonly Mount[],
  etc = "/etc",
): Promise<MissingMount | undefined> {
  const declared = [
    ...parseFstab(await textOf(join(etc, "fstab")), join(etc, "fstab")),
    ...(await autofsMounts(etc)),
    ...(await systemdMounts(path, etc)),
  ];
  for (const { automounter, ...wanted } of declared) {
    if (wanted.mountPoint === "/" || !isWithin(path, wanted.mountPoint)) continue;
    const there = mounts.some(
      (mount) =>
        mount.mountPoint === wanted.mountPoint && (automounter || mount.fstype !== "autofs"),
    );
    if (!there) return wanted;
  }
  return undefined;
}

async function autofsMounts(etc: string): Promise<Declared[]> {
  const masters = [join(etc, "auto.master")];
  const included = join(etc, "auto.master.d");
  for (const name of await readdir(included).catch(() => [])) {
    if (name.endsWith(".autofs")) masters.push(join(included, name));
  }
  const declared: Declared[] = [];
  for (const file of masters) {
    for (const { key, value } of parseAutofsMap(await textOf(file))) {
      if (key === "/-") declared.push(...(await directMap(value, etc)));
      else if (key.startsWith("/"))
        declared.push({ mountPoint: trimSlash(key), file, automounter: true });
    }
  }
  return declared;
}

async function directMap(value: string, etc: string): Promise<Declared[]> {
  const name = (value.split(" ")[0] ?? "").replace(/^file:/, "");
  // Maps of other kinds (a program, LDAP) are not read: running them is the automounter's job.
  if (!name || name.includes(":")) return [];
  const file = name.startsWith("/") ? name : join(etc, name);
  return parseAutofsMap(await textOf(file))
    .filter(({ key }) => key.startsWith("/"))
    .map(({ key, value }) => ({ mountPoint: trimSlash(key), source: value, file }));
}

async function systemdMounts(path: string, etc: string): Promise<Declared[]> {
  const folder = join(etc, "systemd/system");
  const units = new Set(await readdir(folder).catch(() => []));
  if (units.size === 0) return [];
  const declared: Declared[] = [];
  for (let mountPoint = path; mountPoint !== "/"; mountPoint = dirname(mountPoint)) {
    for (const unit of [`${unitName(mountPoint)}.mount`, `${unitName(mountPoint)}.automount`]) {
      if (!units.has(unit)) continue;
      const file = join(folder, unit);
      // A masked unit mounts nothing.
      if ((await readlink(file).catch(() => "")) === "/dev/null") continue;
      declared.push({ mountPoint, file });
    }
  }
  return declared;
}

function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

function trimSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
}
