import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { newFolder } from "../rig/place.ts";

const DAEMON = fileURLToPath(new URL("automount.pl", import.meta.url));

/**
 * A real autofs mount.
 *
 * @param mounter the command that mounts when somebody enters the folder; without one the daemon
 *   is deaf, and whoever enters waits until `end`
 */
export async function automount(
  folder: string,
  mounter?: readonly string[],
): Promise<{ end(): Promise<void> }> {
  const place = newFolder("am").folder;
  const fifo = join(place, "pipe");
  await execa("mkfifo", [fifo]);
  const pipe = openSync(fifo, constants.O_RDWR);
  // The kernel lets the daemon's own process group through.
  const argv = mounter ? ["perl", DAEMON, folder, ...mounter] : ["sleep", "600"];
  const requests = openSync(fifo, constants.O_RDONLY);
  const daemon = spawn(argv[0] ?? "", argv.slice(1), {
    detached: true,
    stdio: ["ignore", "ignore", "inherit", requests],
  });
  closeSync(requests);
  const options = `fd=3,pgrp=${daemon.pid},minproto=5,maxproto=5,direct`;
  const end = async () => {
    daemon.kill("SIGKILL");
    closeSync(pipe);
    // What was mounted, and then the automount itself.
    for (let i = 0; i < 2; i++) await execa("umount", ["--lazy", folder], { reject: false });
    await rm(place, { recursive: true, force: true });
  };
  let ended = false;
  const once = async () => {
    if (!ended) await end();
    ended = true;
  };
  onTestFinished(once);
  const mounted = spawnSync(
    "mount",
    ["--no-mtab", "-t", "autofs", "-o", options, "repoman-test", folder],
    { stdio: ["ignore", "pipe", "pipe", pipe] },
  );
  if (mounted.status !== 0) throw new Error(`mount: ${mounted.stderr}`);
  return { end: once };
}
