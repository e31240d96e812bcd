// Looking at paths whose file system may never answer: an NFS server that is gone, an automounter that
// is deaf. Whoever enters one of those waits for good, and four such calls fill the threads in which
// Node reads files. So what lies on local file systems is looked at from here, and everything else
// from children that can be left behind.

import { lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname, normalize } from "node:path";
import { type Answer, ask, errorText } from "./child.ts";
import { EXIT, Fault } from "./fault.js";
import { isOfLocalType, type Mount, readMounts, topmostMount } from "./mountinfo.ts";

/** How long a file system may take to answer, in ms: it may have to be mounted first. */
export const ANSWER_MS = 5_000;
/** So long one that did not answer is not asked again by this process, in ms. */
const SILENT_MS = 30_000;
/** So many children look at one mount at once: all of them may have to be left behind. */
const AT_ONCE = 4;
const MOST_LINKS = 40;

/** A mount that did not answer in time. */
export interface Silence {
  silent: true;
  /** `does not answer …`: says which mount. */
  what: string;
}

/** What is at the end of a path. */
export type Seen =
  | { ok: true; type: "directory" | "file" | "other"; uid: number; gid: number; real: string }
  /** `code` as Node has it (`ENOENT`), where it is one of the usual ones. */
  | { ok: false; code: string }
  | ({ ok: false } & Silence);

/** What to do about a mount that does not answer. */
export const SILENCE_REMEDY =
  "Check the file server and the network, or the automounter; or unmount it.";

/**
 * The error of whoever needs what does not answer.
 *
 * @param place what was to be looked at
 * @param otherwise a way round it, if there is one
 */
export function silenceFault(place: string, { what }: Silence, otherwise?: string): Fault {
  return new Fault(`${place} ${what}`, {
    remedy: otherwise === undefined ? SILENCE_REMEDY : `${SILENCE_REMEDY}\n${otherwise}`,
    exitCode: EXIT.environment,
  });
}

/**
 * Where a lookup of a path might wait for good: the mount it ends in, as far as that can be told from
 * outside. A lookup from this process is safe where there is none.
 *
 * @param path absolute; symbolic links are followed, as far as they are local themselves
 */
export function foreignMount(path: string): Mount | undefined {
  const mounts = readMounts();
  const names = path.split("/");
  let here = "";
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "..") here = here === "" ? "" : dirname(here).replace(/^\/$/, "");
    if (name === "" || name === "." || name === "..") continue;
    const step = `${here}/${name}`;
    const mount = topmostMount(mounts, step);
    if (!mount || !isOfLocalType(mount)) {
      return topmostMount(mounts, normalize([step, ...names].join("/"))) ?? NOWHERE;
    }
    let stat: ReturnType<typeof lstatSync>;
    try {
      stat = lstatSync(step, { throwIfNoEntry: false });
      // A lookup ends here, whatever would come after.
      if (!stat) return undefined;
      if (stat.isSymbolicLink()) {
        if (++links > MOST_LINKS) return undefined;
        const target = readlinkSync(step);
        if (target.startsWith("/")) here = "";
        names.unshift(...target.split("/"));
        continue;
      }
    } catch {
      return undefined;
    }
    here = step;
  }
  return undefined;
}

const NOWHERE: Mount = {
  id: -1,
  parent: -1,
  device: "",
  mountPoint: "/",
  fstype: "unknown",
  source: "",
  options: [],
};

interface Gate {
  running: number;
  waiting: (() => void)[];
  /** By the monotonic clock; only for who has no more patience than it was given. */
  silentUntil: number;
  /** In ms. */
  patience: number;
}

const gates = new Map<string, Gate>();

/**
 * Runs a small program that looks at something on a mount which may not answer. Once it did not,
 * others who ask about the same mount, and would not wait longer, need not wait for it again.
 *
 * @param mount what `foreignMount` said
 * @param argv program and arguments
 * @param options.timeoutMs `ANSWER_MS` unless set
 */
export async function askAt(
  mount: Mount,
  argv: readonly [string, ...string[]],
  { maxOutput, timeoutMs = ANSWER_MS }: { maxOutput?: number; timeoutMs?: number } = {},
): Promise<Answer | Silence> {
  const key = `${mount.id} ${mount.mountPoint}`;
  const gate = gates.get(key) ?? { running: 0, waiting: [], silentUntil: 0, patience: 0 };
  gates.set(key, gate);
  if (gate.running >= AT_ONCE) await new Promise<void>((go) => gate.waiting.push(go));
  gate.running += 1;
  try {
    if (performance.now() < gate.silentUntil && timeoutMs <= gate.patience) {
      return silence(mount, gate.patience);
    }
    const answer = await ask(argv, { timeoutMs, ...(maxOutput !== undefined && { maxOutput }) });
    if (answer.timedOut) {
      gate.silentUntil = performance.now() + SILENT_MS;
      gate.patience = timeoutMs;
      return silence(mount, timeoutMs);
    }
    gate.silentUntil = 0;
    return answer;
  } finally {
    gate.running -= 1;
    gate.waiting.shift()?.();
  }
}

function silence({ fstype, source, mountPoint }: Mount, waitedMs: number): Silence {
  const from = source === "" || fstype === "autofs" ? "" : ` from ${source}`;
  const what = `does not answer within ${waitedMs / 1000} s: it lies on ${fstype}${from} at ${mountPoint}`;
  return { silent: true, what };
}

const underWay = new Map<string, Promise<Seen>>();

/** Looks at what is at the end of a path, links followed. Bounded in time; never throws. */
export async function lookAt(path: string): Promise<Seen> {
  const mount = foreignMount(path);
  if (!mount) return lookHere(path);
  const asked = underWay.get(path) ?? lookThere(path, mount).finally(() => underWay.delete(path));
  underWay.set(path, asked);
  return asked;
}

function lookHere(path: string): Seen {
  try {
    const stat = statSync(path);
    const type = stat.isDirectory() ? "directory" : stat.isFile() ? "file" : "other";
    return { ok: true, type, uid: stat.uid, gid: stat.gid, real: realpathSync.native(path) };
  } catch (error) {
    return { ok: false, code: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

async function lookThere(path: string, mount: Mount): Promise<Seen> {
  // The first wakes an automount, which to look at a folder from outside does not; and only a folder
  // has an answer to it.
  const stated = await askAt(mount, [
    "stat",
    "-L",
    "--printf=%F\\0%u\\0%g\\0",
    "--",
    `${path}/.`,
    path,
  ]);
  if ("silent" in stated) return { ok: false, ...stated };
  const [type, uid, gid] = stated.stdout.toString().split("\0").slice(-4);
  if (type === undefined || uid === undefined || gid === undefined) {
    return { ok: false, code: codeOf(stated) };
  }
  const resolved = await askAt(mount, ["realpath", "-ez", "--", path]);
  if ("silent" in resolved) return { ok: false, ...resolved };
  if (resolved.code !== 0) return { ok: false, code: codeOf(resolved) };
  const real = resolved.stdout.toString().replace(/\0$/, "");
  const kind = type === "directory" ? type : type.startsWith("regular") ? "file" : "other";
  return { ok: true, type: kind, uid: Number(uid), gid: Number(gid), real };
}

const CODES: Record<string, string> = {
  "No such file or directory": "ENOENT",
  "Not a directory": "ENOTDIR",
  "Is a directory": "EISDIR",
  "Permission denied": "EACCES",
  "Too many levels of symbolic links": "ELOOP",
  "No such device or address": "ENXIO",
  "Stale file handle": "ESTALE",
  "Input/output error": "EIO",
  "Transport endpoint is not connected": "ENOTCONN",
  "Host is down": "EHOSTDOWN",
};

/** Why a child of coreutils failed, as Node would say it; the message itself where it is another. */
export function codeOf({ stderr, startError }: Answer): string {
  if (startError) return startError.code ?? startError.message;
  const message = errorText(stderr.split("\n").at(-1) ?? "");
  return CODES[message] ?? message;
}

/** What a folder holds. Bounded in time. */
export async function listFolder(
  path: string,
): Promise<{ name: string; isDirectory: boolean }[] | { code: string } | Silence> {
  const mount = foreignMount(path);
  if (!mount) {
    const { readdir } = await import("node:fs/promises");
    return readdir(path, { withFileTypes: true }).then(
      (entries) => entries.map((each) => ({ name: each.name, isDirectory: each.isDirectory() })),
      ({ code, message }: NodeJS.ErrnoException) => ({ code: code ?? message }),
    );
  }
  const found = await askAt(
    mount,
    ["find", `${path}/.`, "-mindepth", "1", "-maxdepth", "1", "-printf", "%y%f\\0"],
    { maxOutput: 16 << 20 },
  );
  if ("silent" in found) return found;
  if (found.code !== 0) return { code: codeOf(found) };
  return found.stdout
    .toString()
    .split("\0")
    .filter(Boolean)
    .map((entry) => ({ name: entry.slice(1), isDirectory: entry.startsWith("d") }));
}
