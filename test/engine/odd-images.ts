// Images that make a moment last: the rig's `busybox`, imported before, with something added.

import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { call } from "../rig/api.ts";
import type { Daemon } from "../rig/daemon.ts";
import { setAlias } from "../rig/images.ts";
import { newFolder, rigFolder } from "../rig/place.ts";

/** Large enough that its unpacking can be seen and held; `/pad` tells whether all of it came. */
export async function importBig(daemon: Daemon, alias: string): Promise<void> {
  await importWith(daemon, alias, async (root) => {
    const file = join(root, "pad");
    writeFileSync(file, `${alias}\n`);
    truncateSync(file, PAD_BYTES);
  });
}

export const PAD_BYTES = 96 << 20;

/** One in which the user cannot be finished as long as nobody reads a pipe. */
export async function importHolding(daemon: Daemon, alias: string): Promise<void> {
  await importWith(daemon, alias, async (root) => {
    mkdirSync(join(root, "etc/sudoers.d"), { recursive: true });
    await execa("mkfifo", [join(root, HOLDING_PIPE)]);
  });
}

export const HOLDING_PIPE = "/etc/sudoers.d/90-repoman.new";

async function importWith(
  daemon: Daemon,
  alias: string,
  add: (root: string) => Promise<void>,
): Promise<void> {
  const { folder } = newFolder("i");
  const tarball = join(folder, "image.tar");
  copyFileSync(join(rigFolder(), "image-busybox.tar"), tarball);
  mkdirSync(join(folder, "rootfs"));
  await add(join(folder, "rootfs"));
  await execa("tar", ["-C", folder, "--owner=0", "--group=0", "-rf", tarball, "./rootfs"]);
  const { metadata } = await call(daemon.socket, "POST", "/1.0/images", readFileSync(tarball));
  await setAlias(daemon, alias, metadata.metadata.fingerprint);
  rmSync(folder, { recursive: true });
}
