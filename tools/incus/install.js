import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { EXIT, Fault } from "../../host/fault.js";
import { addBackports, available, install, osRelease, refresh } from "./apt.js";
import { run, which } from "./process.js";

/** @typedef {import("./apt.js").Progress} Progress */

const DAEMONS = [
  "/usr/libexec/incus/incusd",
  "/usr/lib/incus/incusd",
  "/opt/incus/bin/incusd",
  "incusd",
];

/**
 * The daemon's program, which distributions keep out of PATH.
 * @returns {string | undefined}
 */
export function daemonProgram() {
  return DAEMONS.map((candidate) => which(candidate)).find(Boolean);
}

/**
 * Installs the daemon, what it needs for its bridge, and the tools of a storage driver that this
 * kernel has. From wherever apt offers it; on Debian from the release's backports if nowhere else.
 *
 * @param {Progress} progress
 * @throws {Fault} (exit 3)
 */
export async function installIncus(progress) {
  if (!which("apt-get")) {
    throw new Fault("There is no Incus here, and repoman knows how to install it only with apt", {
      remedy:
        "install Incus as its documentation says, then start again:\nhttps://linuxcontainers.org/incus/docs/main/installing/",
      exitCode: EXIT.environment,
    });
  }
  // The first leaves out what only virtual machines need.
  const main = await offered(["incus-base", "incus"], progress);
  const extra = ["dnsmasq-base", "lxcfs", "iproute2", ...storageTools()];
  // The kernel enforces profiles that nothing could load without it.
  if (appArmorIsOn() && !which("apparmor_parser")) extra.push("apparmor");
  const found = await available(extra);
  const packages = [main, ...extra.filter((name) => found.has(name))];
  await install(packages, "Installing Incus", progress);
}

/**
 * @param {string[]} names alternatives, best first
 * @param {Progress} progress
 * @returns {Promise<string>} the one to install
 */
async function offered(names, progress) {
  const look = async () => {
    const found = await available(names);
    return names.find((name) => found.has(name));
  };
  let complaint = "";
  let main = await look();
  if (!main) {
    complaint = await refresh(progress);
    main = await look();
  }
  if (!main) {
    const takeOut = await addBackports(progress);
    main = await look();
    if (!main) await takeOut?.();
  }
  if (main) return main;
  throw new Fault(`apt on ${osRelease().PRETTY_NAME ?? "this machine"} offers no Incus`, {
    remedy: [
      ...(complaint ? [`apt-get update said: ${complaint}`] : []),
      "on Ubuntu it is in universe (sudo add-apt-repository universe); for older releases there is",
      "https://github.com/zabbly/incus. Install it, then start again.",
    ].join("\n"),
    exitCode: EXIT.environment,
  });
}

/** What a copy-on-write pool needs, where the kernel can mount one. */
export function storageTools() {
  return kernelHas("btrfs") && !which("mkfs.btrfs") ? ["btrfs-progs"] : [];
}

/** @param {string} filesystem */
function kernelHas(filesystem) {
  const pattern = new RegExp(`\\s${filesystem}$`, "m");
  if (pattern.test(readFileSync("/proc/filesystems", "utf8"))) return true;
  const modules = `/lib/modules/${release()}`;
  return [`${modules}/modules.dep`, `${modules}/modules.builtin`].some((file) => {
    try {
      return readFileSync(file, "utf8").includes(`/${filesystem}.ko`);
    } catch {
      return false;
    }
  });
}

function appArmorIsOn() {
  try {
    return readFileSync("/sys/module/apparmor/parameters/enabled", "utf8").startsWith("Y");
  } catch {
    return false;
  }
}

/** The client (for the shell in a container) and an rsync that knows all that backups ask of it. */
export async function missingTools() {
  /** @type {string[]} */
  const missing = [];
  if (!which("incus")) missing.push("incus-client");
  if (!(await rsyncIsRecent())) missing.push("rsync");
  return missing;
}

async function rsyncIsRecent() {
  if (!which("rsync")) return false;
  const { stdout } = await run(["rsync", "--version"]);
  const [, major = "0", minor = "0"] = stdout.match(/version v?(\d+)\.(\d+)/) ?? [];
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 2);
}

/**
 * @param {Progress} progress
 * @throws {Fault} (exit 3)
 */
export async function installTools(progress) {
  const missing = await missingTools();
  if (missing.length === 0) return;
  const client = missing.indexOf("incus-client");
  if (client >= 0 && which("apt-get")) {
    // Some distributions have client and daemon in one package.
    missing[client] = await offered(["incus-client", "incus"], progress);
  }
  await install(missing, "Installing tools", progress);
}

/** Whether a service manager is there to run the daemon. */
export const systemdRuns = () => existsSync("/run/systemd/system");
