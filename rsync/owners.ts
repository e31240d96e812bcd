import { ask } from "../host/child.ts";
import type { CheckedSpec } from "./spec.ts";

/**
 * Only root can give a file to somebody else: an ordinary user's copy of it is the user's own, and
 * rsync passes over that in silence. Who runs as root in a container leaves such files.
 *
 * @returns what to say of it; nothing for root, and where all files are the user's
 */
export async function ownersLost({ source, answerWithin }: CheckedSpec): Promise<string[]> {
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0) return [];
  const groups = new Set([process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])]);
  const ours = [...groups].flatMap((gid) => ["!", "-gid", String(gid)]);
  const { stdout } = await ask(
    [
      ...(["find", `${source}/`] as const),
      ...["(", "!", "-uid", String(uid), "-o", "(", ...ours, ")", ")"],
      ...["-printf", "%U:%G %P", "-quit"],
    ],
    { timeoutMs: answerWithin },
  );
  const [, owner, name] = /^(\d+:\d+) (.*)$/s.exec(stdout.toString()) ?? [];
  if (owner === undefined) return [];
  return [
    `Only root can keep the owners of files: those of others, such as ${name || "the folder itself"} ` +
      `(${owner}), are this user's own on the copy`,
  ];
}
