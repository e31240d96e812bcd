import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { totalmem } from "node:os";
import { basename, dirname, join } from "node:path";

/**
 * Run once by the namespace's first process, before the command: makes the private machine.
 * Everything is mounted beside the real folders first and moved over them at the end, since from
 * then on the real ones cannot be reached.
 *
 * @typedef {object} Plan
 * @property {string} mountPoint an empty folder
 * @property {import("./cgroups.js").Hierarchy[]} hierarchies
 * @property {string[]} masks homes to cover; some may be absent or lie in one another
 * @property {string[]} keep what stays visible, read-only
 * @property {string[]} write what stays visible and writable
 * @property {boolean} disk whether the private folders lie on a disk image instead of a tmpfs
 */

/** @type {Plan} */
const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));

/** @param {string[]} command */
function run(...command) {
  const [program = "", ...args] = command;
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return;
  const reason = (stderr || error?.message || `exit code ${status}`).trim();
  throw new Error(`${command.join(" ")}: ${reason}`);
}

/** @param {string[]} args */
const mount = (...args) => run("mount", "--no-mtab", ...args);

/** @param {string} inner @param {string} outer */
const within = (inner, outer) => inner === outer || inner.startsWith(`${outer}/`);

/** /proc and /sys show the namespaces of the one who mounted them. */
function kernelViews() {
  mount("-t", "proc", "proc", "/proc");
  const base = "/sys/fs/cgroup";
  const links = readdirSync(base, { withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => ({ name: entry.name, to: readlinkSync(join(base, entry.name)) }));
  mount("-t", "sysfs", "sysfs", "/sys");
  const several = plan.hierarchies.some(({ mountPoint }) => mountPoint !== base);
  if (several) mount("-t", "tmpfs", "-o", "mode=755", "cgroup", base);
  for (const { mountPoint, type, options } of plan.hierarchies) {
    mkdirSync(mountPoint, { recursive: true });
    mount("-t", type, ...(options ? ["-o", options] : []), type, mountPoint);
    if (type === "cgroup2") passOn(mountPoint);
  }
  if (several) for (const { name, to } of links) symlinkSync(to, join(base, name));
}

/**
 * Lets the cgroups of containers have limits.
 *
 * @param {string} cgroup
 */
function passOn(cgroup) {
  const controllers = readFileSync(join(cgroup, "cgroup.controllers"), "utf8").trim();
  for (const name of controllers.split(" ").filter(Boolean)) {
    writeFileSync(join(cgroup, "cgroup.subtree_control"), `+${name}`);
  }
}

/**
 * @param {string} rig where the private folders lie
 * @param {string} folder the real one
 * @returns {string} its private, empty stand-in with the same owner and mode
 */
function standIn(rig, folder) {
  const copy = join(rig, "masks", folder.slice(1).replaceAll("/", "-"));
  mkdirSync(copy, { recursive: true });
  const { uid, gid, mode } = statSync(folder);
  chownSync(copy, uid, gid);
  // The test user must reach what is kept inside (the toolchain in root's cache, say).
  chmodSync(copy, (mode & 0o7777) | 0o111);
  return copy;
}

/** @returns {string[]} in the order of mounting */
function mountPoints() {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
  // Octal escapes stand for blanks in this file.
  const points = lines.map((line) =>
    (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
  );
  return [...new Set(points)];
}

/**
 * Lets go of disks that are none of the tests' business: the user can unmount them meanwhile, and
 * a network disk that hangs is no trouble in here.
 *
 * @param {string[]} masks
 */
function detachForeign(masks) {
  const system = ["/proc", "/sys", "/dev", "/usr", "/opt", "/nix", "/snap", "/etc", "/var"];
  const kept = [plan.mountPoint, ...plan.keep, ...plan.write];
  for (const point of mountPoints().reverse()) {
    const needed = kept.some((path) => within(point, plan.mountPoint) || within(path, point));
    // The machine's own lxcfs could end meanwhile.
    const hidden = [...masks, "/var/lib/lxcfs"].some((path) => within(point, path));
    const ofSystem = point === "/" || system.some((path) => within(point, path));
    if (needed || (ofSystem && !hidden)) continue;
    spawnSync("umount", ["--lazy", "--no-mtab", "--", point]);
  }
}

/**
 * An ext4 image in memory. Nobody else finds the file, and the kernel drops it with the mount.
 *
 * @param {string} file
 * @param {string} point
 */
function mountDisk(file, point) {
  run("truncate", "-s", String(Math.floor(totalmem() * 0.7)), file);
  run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "lazy_itable_init=1,discard", file);
  mount("-o", "loop,discard", file, point);
}

function privateFolders() {
  const root = plan.mountPoint;
  const rig = join(root, "rig");
  mount("-t", "tmpfs", "-o", "mode=755,size=75%", "run", root);
  mkdirSync(rig);
  if (plan.disk) mountDisk(join(root, "disk"), rig);
  else mount("-t", "tmpfs", "-o", "mode=755,size=75%", "rig", rig);
  for (const folder of ["etc", "keep", "masks"]) mkdirSync(join(rig, folder));
  run("cp", "-a", "/etc/.", join(rig, "etc"));

  // A folder before what lies in it, or its mount would hide theirs.
  const wanted = [...new Set([...plan.keep, ...plan.write])].sort((a, b) => a.length - b.length);
  const kept = wanted.map((path, index) => {
    const place = join(rig, "keep", String(index));
    if (statSync(path).isDirectory()) mkdirSync(place);
    else writeFileSync(place, "");
    mount("--rbind", path, place);
    return { path, place };
  });

  const candidates = ["/tmp", "/var/tmp", "/dev/shm", "/var/log", "/var/lib/incus", ...plan.masks];
  const masks = [...new Set(candidates)].filter(
    (path, _, all) =>
      path !== "/" &&
      existsSync(path) &&
      !all.some((other) => other !== path && within(path, other) && existsSync(other)),
  );
  detachForeign(masks);
  const covers = masks.map((path) => ({ path, cover: standIn(rig, path) }));

  mount("--move", root, "/run");
  const now = (/** @type {string} */ path) => join("/run", path.slice(root.length));
  mount("--bind", "/run/rig/etc", "/etc");
  for (const { path, cover } of covers) mount("--bind", now(cover), path);
  for (const { path, place } of kept) {
    if (statSync(now(place)).isDirectory()) mkdirSync(path, { recursive: true });
    else if (!existsSync(path)) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "");
    }
    mount("--move", now(place), path);
  }
  return masks;
}

/**
 * The rest of the machine cannot be written to.
 *
 * @param {string[]} masks
 */
function readOnly(masks) {
  const free = ["/proc", "/sys", "/dev", "/run", "/etc", ...masks, ...plan.write];
  for (const point of mountPoints()) {
    const kept = plan.keep.some((path) => within(point, path));
    const isFree = free.some((path) => within(point, path));
    const isWritten = plan.write.some((path) => within(point, path));
    if (isWritten || (isFree && !kept)) continue;
    try {
      mount("-o", "remount,bind,ro", point);
    } catch (error) {
      // A mount that lies hidden below another cannot be reached, neither to change nor to write.
      if (point === "/" || plan.keep.includes(point)) throw error;
    }
  }
}

try {
  kernelViews();
  readOnly(privateFolders());
  run("hostname", "rig");
  run("ip", "link", "set", "lo", "up");
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${basename(process.argv[1] ?? "")}: ${message}\n`);
  process.exitCode = 3;
}
