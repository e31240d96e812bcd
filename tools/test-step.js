import { existsSync } from "node:fs";
import { available, install } from "./incus/apt.js";
import { daemonProgram, installIncus, installTools, missingTools } from "./incus/install.js";
import { which } from "./incus/process.js";

/** Programs that the tests start, and the packages that bring them. */
const PROGRAMS = {
  dnsmasq: "dnsmasq-base",
  fish: "fish",
  git: "git",
  groff: "groff-base",
  getfattr: "attr",
  ip: "iproute2",
  losetup: "mount",
  lxcfs: "lxcfs",
  mandoc: "mandoc",
  "mkfs.ext4": "e2fsprogs",
  newuidmap: "uidmap",
  openssl: "openssl",
  setpriv: "util-linux",
  sudo: "sudo",
  zsh: "zsh",
};

/** Copied into a container without a libc, so the one that needs none. */
const STATIC = "busybox-static";

function missing() {
  const packages = Object.entries(PROGRAMS).flatMap(([program, name]) =>
    which(program) ? [] : [name],
  );
  if (!existsSync(`/var/lib/dpkg/info/${STATIC}.list`)) packages.push(STATIC);
  return packages;
}

/**
 * What the tests need on this machine. Their Incus daemons are their own; of the machine's, only
 * the program is used.
 *
 * @type {import("./step.js").Step}
 */
export const testStep = {
  name: "What the tests need",
  needsRoot: true,
  ready: async () =>
    Boolean(daemonProgram()) && missing().length === 0 && (await missingTools()).length === 0,
  async run({ progress }) {
    if (!daemonProgram()) await installIncus(progress);
    await installTools(progress);
    const packages = missing();
    if (packages.length === 0) return;
    const offered = await available(packages);
    await install(
      packages.filter((name) => offered.has(name) || name === STATIC),
      "Installing what the tests need",
      progress,
    );
  },
};
