import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { execa } from "execa";

/**
 * Every difference between two trees, byte for byte: names, types, modes, owners, times, sizes,
 * content, link targets, hard links, devices, extended attributes and ACLs. Shares no code with
 * what it judges.
 *
 * @returns such as `a/b: mode 644 <> 600`; empty when they are the same
 */
export async function differences(one: string, other: string): Promise<string[]> {
  const [a, b] = [survey(one), survey(other)];
  const found: string[] = [];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(name), b.get(name)];
    const printable = JSON.stringify(Buffer.from(name, "latin1").toString());
    if (!left || !right) found.push(`${printable}: only in the ${left ? "first" : "second"}`);
    else
      for (const key of Object.keys(left)) {
        if (left[key] !== right[key]) {
          found.push(`${printable}: ${key} ${left[key]} <> ${right[key]}`);
        }
      }
  }
  for (const [name, path] of a) {
    if (path.type !== "file" || b.get(name)?.type !== "file") continue;
    if (path.size === b.get(name)?.size && !sameContent(one, other, name)) {
      found.push(`${JSON.stringify(name)}: content`);
    }
  }
  const [x, y] = await Promise.all([attributes(one), attributes(other)]);
  if (x !== y) found.push(`attributes:\n${x}\n<>\n${y}`);
  return found;
}

type Facts = Record<string, string>;

function survey(root: string): Map<string, Facts> {
  const found = new Map<string, Facts>();
  const linked = new Map<bigint, string[]>();
  const visit = (name: string) => {
    const path = pathOf(root, name);
    const stat = lstatSync(path, { bigint: true });
    const facts: Facts = {
      type: typeOf(stat),
      mode: (stat.mode & 0o7777n).toString(8),
      owner: `${stat.uid}:${stat.gid}`,
      time: String(stat.mtimeNs),
      device: String(stat.rdev),
    };
    if (stat.isSymbolicLink()) facts.target = readlinkSync(path, "latin1");
    if (stat.isFile()) facts.size = String(stat.size);
    if (!stat.isDirectory() && stat.nlink > 1n) {
      linked.set(stat.ino, [...(linked.get(stat.ino) ?? []), name]);
    }
    found.set(name, facts);
    if (!stat.isDirectory()) return;
    const children = readdirSync(path, "latin1");
    for (const child of children.sort()) visit(name === "" ? child : `${name}/${child}`);
  };
  visit("");
  // A file may have further names outside of the tree, which are none of its business.
  for (const names of linked.values()) {
    for (const name of names) {
      const facts = found.get(name);
      if (facts && names.length > 1) facts.sameFileAs = names[0] ?? "";
    }
  }
  return found;
}

function typeOf(stat: BigIntStats): string {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  if (stat.isSymbolicLink()) return "link";
  if (stat.isFIFO()) return "fifo";
  if (stat.isSocket()) return "socket";
  return stat.isBlockDevice() ? "block" : "char";
}

function pathOf(root: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, "latin1")]);
}

function sameContent(one: string, other: string, name: string): boolean {
  const files = [one, other].map((root) => openSync(pathOf(root, name), "r"));
  const chunks = files.map((file) => ({ file, buffer: Buffer.allocUnsafe(1 << 20) }));
  try {
    for (;;) {
      const [left, right] = chunks.map(({ file, buffer }) =>
        buffer.subarray(0, readSync(file, buffer)),
      );
      if (!left || !right?.equals(left)) return false;
      if (left.length === 0) return true;
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** All extended attributes, ACLs among them, in the order of names. */
async function attributes(root: string): Promise<string> {
  const { stdout } = await execa("getfattr", ["-Rhd", "-m", "-", "-e", "hex", "."], { cwd: root });
  return stdout
    .split("\n\n")
    .map((block) => block.trim())
    .sort()
    .join("\n\n");
}
