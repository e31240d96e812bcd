import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { ask, errorText } from "../host/child.ts";
import { factsOf, isWithin, readMounts, topmostMount } from "../host/mountinfo.ts";
import { claimSite } from "./claim.ts";
import { diskRecordFile, inspectDisk, readDiskRecord } from "./disk.ts";
import { findMissingMount } from "./expected.ts";
import type { Refusal } from "./judge.ts";
import { findSite } from "./probe.ts";
import { type RootSpec, rootSpec } from "./root.ts";
import type { DiskIdentity, MountFacts } from "./types.ts";

/** What lies at a backup root now. */
export interface RootReport {
  ok: true;
  /** `missing`: the folder is not there; `new`: nobody's yet; else it is this stack's. */
  standing: "missing" | "new" | "marked" | "known";
  /** What is mounted there, or where the folder would be. */
  mount: MountFacts;
  readOnly: boolean;
  /** In bytes; undefined where the disk does not tell. */
  free: number | undefined;
  size: number | undefined;
  /** Whether it is another file system than the repositories'. */
  separate: boolean;
  disk?: DiskIdentity;
}

const NO = (result: Refusal["result"], reason: string, remedy: string) =>
  ({ ok: false, result, reason, remedy }) as const;

/**
 * Looks at a backup root before it is made one. Changes nothing, and is bounded in time.
 *
 * @param reposRoot where the repositories are, to tell a disk from a plain folder
 * @param options.replace does not hold it against a disk that it is another one than before
 */
export async function lookAtRoot(
  given: RootSpec,
  reposRoot: string,
  { replace = false } = {},
): Promise<RootReport | ({ ok: false } & Refusal)> {
  const spec = rootSpec(given);
  const { backupRoot } = spec;
  const found = await inspectDisk(backupRoot, spec.answerWithin, { fresh: true });
  if (!found.ok && !found.missing) return { ...found, result: "unreachable" };
  const mounts = readMounts();
  const reposMount = topmostMount(mounts, reposRoot);
  if (!found.ok) {
    if (!replace && (await readDiskRecord(spec.recordsDir, backupRoot)) !== undefined) {
      return NO(
        "unreachable",
        `The backup root ${backupRoot} was there once and is gone`,
        "Mount the backup disk. To begin with another one: repoman backup init --replace",
      );
    }
    const absent = await findMissingMount(backupRoot, mounts);
    if (absent) {
      return NO(
        "unreachable",
        `${absent.file} says that ${absent.source ?? "a file system"} is mounted at ${absent.mountPoint}, but it is not`,
        `Mount it (mount ${absent.mountPoint}), or take it out of ${absent.file}.`,
      );
    }
    const above = await nearestFolder(backupRoot, spec.answerWithin);
    if (above === undefined) {
      return NO("unreachable", `No folder above ${backupRoot} answers`, "Choose another place.");
    }
    const mount = topmostMount(mounts, above);
    return {
      ok: true,
      standing: "missing",
      mount: mount ? factsOf(mount) : { mountPoint: "", fstype: "unknown", source: "" },
      readOnly: mount?.options.includes("ro") ?? false,
      ...(await space(above, spec.answerWithin)),
      separate: mount?.id !== reposMount?.id,
    };
  }
  const site = await findSite(spec, { ignoreRecord: replace });
  if (!site.ok) return site;
  return {
    ok: true,
    standing: site.standing,
    mount: factsOf(found.mount),
    readOnly: found.mount.options.includes("ro"),
    ...(await space(found.root, spec.answerWithin)),
    // A bind mount has another id, and the same device.
    separate: site.device !== (await deviceOf(reposRoot, spec.answerWithin)),
    ...(site.disk && { disk: site.disk }),
  };
}

/**
 * Makes the folder where it is missing, marks the disk and remembers it.
 *
 * @param options.replace forgets the disk that was there before
 * @throws {Fault} when it cannot be marked
 */
export async function initialiseRoot(
  given: RootSpec,
  reposRoot: string,
  { replace = false } = {},
): Promise<{ ok: true; disk: DiskIdentity } | ({ ok: false } & Refusal)> {
  const spec = rootSpec(given);
  const { backupRoot, answerWithin: timeoutMs } = spec;
  const looked = await lookAtRoot(given, reposRoot, { replace });
  if (!looked.ok) return looked;
  if (looked.standing === "missing") {
    const made = await ask(["mkdir", "-p", "-m", "700", "--", backupRoot], { timeoutMs });
    if (made.code !== 0) {
      const why = made.timedOut ? "the disk does not answer" : errorText(made.stderr);
      return NO(
        "unreachable",
        `The backup root ${backupRoot} cannot be made: ${why}`,
        "Make it by hand, writable for this user.",
      );
    }
  }
  const record = diskRecordFile(spec.recordsDir, backupRoot);
  const aside = `${record}.replaced`;
  const hadRecord = replace && (await moved(record, aside));
  let done = false;
  try {
    const site = await findSite(spec, { fresh: true });
    if (!site.ok) return site;
    const claimed = await claimSite(spec, site, "");
    if (!claimed.ok) return claimed;
    done = true;
    return { ok: true, disk: claimed.recorded.disk };
  } finally {
    if (!done && hadRecord) await moved(aside, record);
  }
}

function moved(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    () => false,
  );
}

async function nearestFolder(path: string, timeoutMs: number): Promise<string | undefined> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { stdout, timedOut } = await ask(["realpath", "-ez", "--", folder], { timeoutMs });
    if (timedOut) return undefined;
    const real = stdout.toString().replace(/\0$/, "");
    if (real.startsWith("/")) return real;
    if (isWithin("/", folder)) return undefined;
  }
}

async function deviceOf(path: string, timeoutMs: number): Promise<string | undefined> {
  const { code, stdout } = await ask(["stat", "-L", "--printf=%d", "--", path], { timeoutMs });
  return code === 0 ? stdout.toString() : undefined;
}

async function space(path: string, timeoutMs: number) {
  const { code, stdout } = await ask(["stat", "-f", "--printf=%S %a %b", "--", path], {
    timeoutMs,
  });
  const [block = 0, free = 0, size = 0] = stdout.toString().split(" ").map(Number);
  return code === 0
    ? { free: block * free, size: block * size }
    : { free: undefined, size: undefined };
}
