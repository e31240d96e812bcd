import { lstatSync, opendirSync } from "node:fs";
import { ask, errorText } from "../host/child.ts";
import { askAt, foreignMount } from "../host/look.ts";
import { factsOf, isLocal, readMounts, topmostMount } from "../host/mountinfo.ts";
import type { Refusal } from "./judge.ts";
import type { CheckedSpec } from "./spec.ts";
import type { MountFacts } from "./types.ts";

/** A repository that is there and holds something. */
export interface Source {
  ok: true;
  device: string;
  mount: MountFacts;
}

/**
 * Looks at the repository, bounded in time: it too may lie on a mount.
 *
 * @param known what was mounted over it at the last good run; only for a better message
 */
export async function inspectSource(
  spec: CheckedSpec,
  known: MountFacts | undefined,
): Promise<Source | ({ ok: false } & Refusal)> {
  const refuse = (reason: string, remedy: string) =>
    ({ ok: false, result: "refused", reason, remedy }) as const;
  const seen = lookHere(spec.source) ?? (await lookInChildren(spec.source, spec.answerWithin));
  if (seen === "silent") {
    return refuse(
      `The repository ${spec.source} does not answer within ${spec.answerWithin / 1000} s`,
      "Check the mount it lies on.",
    );
  }
  if (typeof seen === "string") {
    return refuse(
      `The repository ${spec.source} cannot be read: ${seen}`,
      "Put it back, or take the project out of the registry. Its copy is left as it is.",
    );
  }
  const mount = topmostMount(readMounts(), seen.path);
  const facts: MountFacts = mount
    ? factsOf(mount)
    : { mountPoint: "", fstype: "unknown", source: "" };
  if (seen.empty) {
    return refuse(
      `The repository ${spec.source} is empty${wentAway(known, facts)}`,
      "Put its files back, or take the project out of the registry. Its copy is left as it is.",
    );
  }
  return { ok: true, device: seen.device, mount: facts };
}

/** What was seen of a folder; a text is why it cannot be read. */
type Seen = { path: string; device: string; empty: boolean } | string;

/**
 * Looks from this process, which is quick, as long as every step of the path lies on a local file
 * system. @returns undefined where one does not, or where anything is out of the ordinary
 */
function lookHere(path: string): Exclude<Seen, string> | undefined {
  if (!isLocal(readMounts(), path)) return undefined;
  const names = path.split("/").slice(1);
  try {
    for (let length = 0; length <= names.length; length++) {
      const step = `/${names.slice(0, length).join("/")}`;
      // Not before the step above turned out to be no link, which might lead elsewhere.
      const stat = lstatSync(step);
      if (!stat.isDirectory()) return undefined;
      if (length < names.length) continue;
      const folder = opendirSync(step);
      const empty = folder.readSync() === null;
      folder.closeSync();
      return { path, device: String(stat.dev), empty };
    }
  } catch {
    // The children find out what is wrong.
  }
  return undefined;
}

/** Looks from processes that can be left behind. */
async function lookInChildren(path: string, timeoutMs: number): Promise<Seen> {
  // Many repositories may lie on one mount that does not answer: it is waited for once.
  const mount = foreignMount(path);
  const look = (argv: readonly [string, ...string[]]) =>
    mount ? askAt(mount, argv, { timeoutMs }) : ask(argv, { timeoutMs });
  const [entered, listed, resolved] = await Promise.all([
    look(["stat", "-L", "--printf=%F\\0%d", "--", `${path}/.`]),
    look(["find", `${path}/.`, "-mindepth", "1", "-maxdepth", "1", "-printf", "x", "-quit"]),
    look(["realpath", "-ez", "--", path]),
  ]);
  if ("silent" in entered || "silent" in listed || "silent" in resolved) return "silent";
  if (entered.timedOut || listed.timedOut || resolved.timedOut) return "silent";
  const [type, device] = entered.stdout.toString().split("\0");
  if (entered.code !== 0) return errorText(entered.stderr);
  if (type !== "directory" || device === undefined) return `it is a ${type}`;
  if (listed.code !== 0) return errorText(listed.stderr);
  return {
    path: resolved.stdout.toString().replace(/\0$/, ""),
    device,
    empty: listed.stdout.length === 0,
  };
}

/** Says so when the repository's file system is not the one of the last good run. */
export function wentAway(known: MountFacts | undefined, now: MountFacts): string {
  if (!known || (known.mountPoint === now.mountPoint && known.fstype === now.fstype)) return "";
  return (
    `; it was on ${known.fstype} from ${known.source} mounted at ${known.mountPoint} and is now on ` +
    `${now.fstype} mounted at ${now.mountPoint}: is something not mounted?`
  );
}
