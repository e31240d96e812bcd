import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { newFolder } from "../rig/place.ts";

/**
 * An automount whose daemon is deaf: the kernel writes its requests into a pipe that nobody reads,
 * and whoever enters the folder waits until `end`.
 */
export async function silentAutomount(folder: string): Promise<{ end(): Promise<void> }> {
  const place = newFolder("am").folder;
  const fifo = join(place, "pipe");
  await execa("mkfifo", [fifo]);
  const pipe = openSync(fifo, constants.O_RDWR);
  // The kernel lets the daemon's own process group through; this sleeper stands for it.
  const daemon = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  const options = `fd=3,pgrp=${daemon.pid},minproto=5,maxproto=5,direct`;
  const end = async () => {
    await execa("umount", ["--lazy", folder], { reject: false });
    daemon.kill("SIGKILL");
    closeSync(pipe);
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
