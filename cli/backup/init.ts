import { hostname } from "node:os";
import { EXIT, Fault } from "../../host/fault.js";
import { paths } from "../../host/paths.js";
import { printable } from "../../registry/text.ts";
import { initialiseRoot, lookAtRoot, type RootReport } from "../../rsync/init.ts";
import type { RootSpec } from "../../rsync/root.ts";
import { note, warn } from "../output/say.ts";
import { bytes } from "../output/units.ts";
import { readCopies } from "./copies.ts";
import { faultOf } from "./trouble.ts";

interface Options {
  stack?: string;
  replace?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** `repoman backup init` */
export async function init({ stack, replace = false, yes, json }: Options): Promise<void> {
  const began = performance.now();
  const { setting, registry, stackId, specs } = await readCopies([], {
    stack,
    // On a fresh host the disk comes before the first project.
    mayBeNone: true,
  });
  const { backupRoot, reposRoot, backupFstype, backupSource } = registry.defaults;
  if (backupRoot === undefined) {
    throw new Fault(`${printable(registry.file)} says nowhere where the copies go`, {
      remedy: "Set backup_root in [defaults], or NFS_REPOS in the environment.",
      exitCode: EXIT.usage,
    });
  }
  const spec: RootSpec = {
    backupRoot,
    hostId: hostname(),
    stackId,
    recordsDir: paths(setting.env).backupRecords,
    expectedFstype: backupFstype,
    expectedSource: backupSource,
  };
  const seen = await lookAtRoot(spec, reposRoot, { replace });
  if (!seen.ok) throw faultOf(seen);
  if (!json) process.stdout.write(describe(backupRoot, seen));
  if (seen.readOnly) {
    throw new Fault(`${printable(backupRoot)} is mounted read-only`, {
      remedy: `mount -o remount,rw ${seen.mount.mountPoint}`,
      exitCode: EXIT.environment,
    });
  }
  const known = seen.standing === "known" && !replace;
  const { consent, declined, markChanged } = await import("../output/ask.ts");
  if (!known && !seen.separate) {
    warn("this is the file system of the repositories: what takes it takes the copies with it");
    const would = "makes a folder on the repositories' own file system the place of their copies";
    if (!(await consent("Use it all the same?", { yes, would }))) return declined();
  } else if (replace) {
    const would = "takes this disk in place of the one that was there before";
    if (!(await consent("Take this disk from now on?", { yes, would }))) return declined();
  }
  const offer = async () => {
    if (json) return;
    const { offerExcludes } = await import("./offer-excludes.ts");
    await offerExcludes(setting, registry, specs, { asks: !yes });
  };
  // The disk's marker names the stack, which is made when all is agreed to.
  const { ensureStack } = await import("../pulumi/stack.ts");
  const owned = { ...spec, stackId: (await ensureStack(setting)).stackId };
  const made = await initialiseRoot(owned, reposRoot, { replace });
  if (!made.ok) throw faultOf(made);
  const { disk } = made;
  if (json) {
    const { ok, ...facts } = seen;
    const result = known ? "unchanged" : "marked";
    process.stdout.write(`${JSON.stringify({ backupRoot, result, ...facts, disk }, null, 2)}\n`);
  } else if (known) note("It is marked already; nothing was changed.");
  else note(`It is marked (${disk.id}), and remembered here. Mirror now: repoman sync`);
  // The disk may have come before the first project.
  if (known) return offer();
  markChanged();
  const { journal } = await import("../journal.ts");
  await journal(setting, {
    command: "backup init",
    result: "ok",
    exitCode: EXIT.ok,
    began,
    details: { backupRoot, disk: disk.id, fstype: disk.fstype, source: disk.source },
  });
  await offer();
}

const STANDING = {
  missing: "not there; it is made now",
  new: "not marked by anybody yet",
  marked: "marked as this stack's",
  known: "marked as this stack's, and known here",
};

function describe(backupRoot: string, seen: RootReport): string {
  const { mount, free, size, separate, standing, readOnly } = seen;
  const space =
    free === undefined || size === undefined ? "unknown" : `${bytes(free)} of ${bytes(size)} free`;
  const rows = [
    ["folder", STANDING[standing]],
    ["mounted", `${mount.fstype} from ${mount.source || "nothing"} at ${mount.mountPoint}`],
    ["space", `${space}${readOnly ? ", read-only" : ""}`],
    ["disk", separate ? "another file system than the repositories'" : "that of the repositories"],
  ];
  const lines = rows.map(([what = "", is = ""]) => `  ${what.padEnd(9)}${printable(is)}\n`);
  return `${printable(backupRoot)}\n${lines.join("")}`;
}
