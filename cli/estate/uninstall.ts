// Taking repoman off this host, in an order in which a run that was cut off is finished by another:
// first what only Pulumi's state knows of, last what repoman itself runs with.

import { readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { paths } from "../../host/paths.js";
import { lentFile, takeBackSubIds } from "../../tools/incus/subids.js";
import { Progress } from "../../tools/progress.js";
import { journal } from "../journal.ts";
import { note } from "../output/say.ts";
import type { Setting } from "../setting.ts";
import type { UninstallPlan } from "./uninstall-plan.ts";

/** @throws Fault for what keeps it from going on; what is done is done, and run again it goes on */
export async function uninstall(setting: Setting, plan: UninstallPlan): Promise<void> {
  const began = performance.now();
  const { env, stack } = setting;
  const places = paths(env);
  if (plan.hasStack) await destroyEstate(stack);
  await journal(setting, { command: "uninstall", result: "ok", exitCode: EXIT.ok, began });
  if (!plan.last) {
    await away(plan.ofStack);
    return;
  }
  if (plan.hasOwnDaemon) {
    const { discard } = await import("../../tools/incus/discard.js");
    const progress = new Progress({ env });
    await progress.during("Removing Incus", () => discard({ paths: places, env, progress }));
  }
  for (const line of await takeBackSubIds(lentFile(places))) note(`Took back ${line}.`);
  await away([...plan.ofStack, ...plan.ofState, ...plan.purged, ...plan.installed]);
  // A folder with something else in it stays.
  const parents = [...new Set(plan.purged.map((place) => dirname(place)))];
  await Promise.all(parents.map((folder) => rmdir(folder).catch(() => {})));
  if (plan.cache !== undefined) await dropCache(plan.cache);
}

async function destroyEstate(stack: string): Promise<void> {
  const { operate } = await import("../pulumi/operate.ts");
  const { exitCode } = await operate({
    operation: "destroy",
    names: [],
    flags: ["--skip-preview", "--remove"],
    stack,
    yes: true,
    aside: true,
  });
  if (exitCode === EXIT.ok) return;
  throw new Fault("the estate could not be removed, so all else stays, too", {
    remedy: "Mend what is said above, then run again: it goes on from here.",
    exitCode,
  });
}

async function away(places: readonly string[]): Promise<void> {
  for (const place of places) await rm(place, { recursive: true, force: true });
}

/**
 * What runs here comes from there: it goes last, and first out of the way as a whole, so that a
 * half-removed toolchain is never taken for one.
 */
async function dropCache(cache: string): Promise<void> {
  const folder = dirname(cache);
  const aside = `${basename(cache)}.removed-`;
  await rename(cache, join(folder, `${aside}${process.pid}`));
  // With what a run that was cut off here has left.
  await away(
    (await readdir(folder))
      .filter((name) => name.startsWith(aside))
      .map((name) => join(folder, name)),
  );
}
