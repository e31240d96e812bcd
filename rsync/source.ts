import { ask, errorText } from "./child.ts";
import type { Refusal } from "./judge.ts";
import { factsOf, readMounts, topmostMount } from "./mountinfo.ts";
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
  const timeoutMs = spec.answerWithin;
  const [entered, listed, resolved] = await Promise.all([
    ask(["stat", "-L", "--printf=%F\\0%d", "--", `${spec.source}/.`], { timeoutMs }),
    ask(["find", `${spec.source}/.`, "-mindepth", "1", "-maxdepth", "1", "-printf", "x", "-quit"], {
      timeoutMs,
    }),
    ask(["realpath", "-ez", "--", spec.source], { timeoutMs }),
  ]);
  const refuse = (reason: string, remedy: string) =>
    ({ ok: false, result: "refused", reason, remedy }) as const;
  if (entered.timedOut || listed.timedOut || resolved.timedOut) {
    return refuse(
      `The repository ${spec.source} does not answer within ${timeoutMs / 1000} s`,
      "Check the mount it lies on.",
    );
  }
  const [type, device] = entered.stdout.toString().split("\0");
  if (entered.code !== 0 || type !== "directory" || device === undefined) {
    return refuse(
      `The repository ${spec.source} cannot be read: ${
        entered.code === 0 ? `it is a ${type}` : errorText(entered.stderr)
      }`,
      "Put it back, or take the project out of the registry. Its copy is left as it is.",
    );
  }
  const mount = topmostMount(await readMounts(), resolved.stdout.toString().replace(/\0$/, ""));
  const facts: MountFacts = mount
    ? factsOf(mount)
    : { mountPoint: "", fstype: "unknown", source: "" };
  if (listed.code !== 0) {
    return refuse(
      `The repository ${spec.source} cannot be listed: ${errorText(listed.stderr)}`,
      "Make it readable for this user.",
    );
  }
  if (listed.stdout.length === 0) {
    return refuse(
      `The repository ${spec.source} is empty${wentAway(known, facts)}`,
      "Put its files back, or take the project out of the registry. Its copy is left as it is.",
    );
  }
  return { ok: true, device, mount: facts };
}

/** Says so when the repository's file system is not the one of the last good run. */
export function wentAway(known: MountFacts | undefined, now: MountFacts): string {
  if (!known || (known.mountPoint === now.mountPoint && known.fstype === now.fstype)) return "";
  return (
    `; it was on ${known.fstype} from ${known.source} mounted at ${known.mountPoint} and is now on ` +
    `${now.fstype} mounted at ${now.mountPoint}: is something not mounted?`
  );
}
