import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { mountsBelow } from "./mounts.ts";
import { exclusively, rigFolder, until } from "./place.ts";

const FOLDER = "/var/lib/lxcfs";

/** Starts lxcfs, once for all daemons of the run. Where it is not installed, Incus does without. */
export async function ensureLxcfs(): Promise<void> {
  if (!existsSync(FOLDER)) return;
  await exclusively("lxcfs", async () => {
    if (mountsBelow(FOLDER).length > 0) return;
    const log = openSync(join(rigFolder(), "lxcfs.log"), "a");
    const child = spawn("lxcfs", [FOLDER], { stdio: ["ignore", log, log], detached: true });
    const failed = new Promise<never>((_, reject) => child.once("error", reject));
    closeSync(log);
    child.unref();
    await Promise.race([failed, until("lxcfs", () => mountsBelow(FOLDER).length > 0)]);
  });
}
