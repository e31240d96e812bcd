import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * The cgroups of a run. All that happens in the namespace happens below one cgroup per hierarchy,
 * seen from inside as the root, so that whatever a crash leaves behind (the kernel ends processes
 * but keeps cgroups) is below a name of our own.
 *
 * @typedef {object} Hierarchy one mounted cgroup hierarchy
 * @property {string} mountPoint
 * @property {"cgroup" | "cgroup2"} type
 * @property {string} options what to mount it again with, "" for cgroup2
 * @property {string} own the folder made for the run
 */

/**
 * What this machine has mounted: version 1, version 2 or both side by side.
 *
 * @param {string} name of the run's cgroup
 * @param {{ mountinfo?: string, membership?: string }} [facts] the contents of the files in /proc/self
 * @returns {Hierarchy[]}
 */
export function hierarchies(
  name,
  {
    mountinfo = readFileSync("/proc/self/mountinfo", "utf8"),
    membership = readFileSync("/proc/self/cgroup", "utf8"),
  } = {},
) {
  const member = membership
    .trim()
    .split("\n")
    .map((line) => {
      const [, , controllers = "", path = "/"] = line.match(/^(\d+):([^:]*):(.*)$/) ?? [];
      return { controllers, path };
    });
  /** @type {Hierarchy[]} */
  const found = [];
  const mounts = mountinfo
    .trim()
    .split("\n")
    .map((line) => {
      const [left = "", right = ""] = line.split(" - ");
      const [, , , root = "/", mountPoint = ""] = left.split(" ");
      const [type = "", , superOptions = ""] = right.split(" ");
      return { root, mountPoint, type, superOptions };
    });
  for (const [index, { root, mountPoint, type, superOptions }] of mounts.entries()) {
    // Later mounts lie over earlier ones.
    const over = mounts.slice(index + 1).map((later) => later.mountPoint);
    if (over.some((path) => `${mountPoint}/`.startsWith(`${path}/`))) continue;
    if (type === "cgroup2") {
      // A cgroup of version 2 that holds processes cannot hand controllers to its children; the
      // topmost one can, and there is where Incus puts its containers as well.
      found.push({ mountPoint, type, options: "", own: join(mountPoint, name) });
    } else if (type === "cgroup") {
      const wanted = superOptions.split(",");
      const mine = member.find(({ controllers }) => {
        const [first = ""] = controllers.split(",");
        return first !== "" && wanted.includes(first);
      });
      if (!mine) continue;
      const options = mine.controllers.startsWith("name=")
        ? `none,${mine.controllers}`
        : mine.controllers;
      // Bind-mounted from another root (a container's view): paths in membership are absolute.
      const path =
        root !== "/" && mine.path.startsWith(root) ? mine.path.slice(root.length) : mine.path;
      found.push({ mountPoint, type, options, own: join(mountPoint, path, name) });
    }
  }
  return found;
}

/** The folder in which the run's own processes sit under version 2; LXC looks past this name. */
const LEAF = "init.scope";

/**
 * @param {Hierarchy[]} plan
 * @returns {{ roots: string[], leaves: string[] }} folders to join before and after the cgroup
 *   namespace is made
 */
export function createCgroups(plan) {
  /** @type {string[]} */
  const leaves = [];
  for (const { own, type } of plan) {
    mkdirSync(own, { recursive: true });
    if (type === "cgroup2") {
      mkdirSync(join(own, LEAF), { recursive: true });
      leaves.push(join(own, LEAF));
      continue;
    }
    // A new cpuset of version 1 is empty and takes no process.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (readdirSync(own).includes(file)) {
        writeFileSync(join(own, file), readFileSync(join(dirname(own), file)));
      }
    }
  }
  return { roots: plan.map(({ own }) => own), leaves };
}

/**
 * Removes cgroups and all below them, ending what still runs in there.
 *
 * @param {string[]} roots folders made by `createCgroups`
 * @returns {Promise<string[]>} what could not be removed within five seconds
 */
export async function removeCgroups(roots) {
  const deadline = Date.now() + 5000;
  let left = roots;
  for (;;) {
    left = left.filter((root) => !removeTree(root));
    if (left.length === 0 || Date.now() > deadline) return left;
    // The dying leave their cgroup a moment after they are killed.
    await sleep(20);
  }
}

/**
 * @param {string} folder
 * @returns {boolean} whether it is gone
 */
function removeTree(folder) {
  let names;
  try {
    names = readdirSync(folder, { withFileTypes: true });
  } catch {
    return true;
  }
  for (const entry of names) if (entry.isDirectory()) removeTree(join(folder, entry.name));
  try {
    for (const pid of readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n")) {
      if (pid !== "" && pid !== "0") process.kill(Number(pid), "SIGKILL");
    }
  } catch {
    // Ended by itself between the reading and the kill.
  }
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT";
  }
}
