import type { Registry } from "../registry/types.ts";
import { type DeclaredBackup, hostSpec, probe } from "../rsync/index.ts";

/** How long the disk may take to answer before a preview goes on without it. */
const ANSWER_MS = 10_000;

/**
 * Whether the backup disk can be written: asked once for all projects, in a child that can be
 * killed, because a mount that hangs would hold whoever asks.
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
  const found = await probe({ ...spec, answerWithin: ANSWER_MS });
  return found.ok ? {} : { backupFault: `${found.reason}\n  ${found.remedy}` };
}
