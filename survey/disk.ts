import type { Registry } from "../registry/types.ts";
import { type DeclaredBackup, hostSpec, probeRoot } from "../rsync/index.ts";

/** How long the disk may take to answer before a preview goes on without it. */
const ANSWER_MS = 10_000;

/**
 * Whether the backup disk is there and the right one: asked once for all projects, in a child that can be
 * killed, because a mount that hangs would hold whoever asks. What is in the way
 * of one copy on it is for that copy's own run to find out.
 *
 * @param backups what `declaredBackups` says
 * @returns why not, to be handed to each backup
 */
export async function lookAtDisk(
  { projects }: Registry,
  backups: ReadonlyMap<string, DeclaredBackup>,
  stackId: string,
): Promise<{ backupFault?: string }> {
  const [first] = projects.flatMap(({ name, enabled }) =>
    enabled ? (backups.get(name) ?? []) : [],
  );
  if (!first) return {};
  const spec = hostSpec(first, stackId);
  const found = await probeRoot({ ...spec, answerWithin: ANSWER_MS });
  return found.ok ? {} : { backupFault: `${found.reason}\n  ${found.remedy}` };
}
