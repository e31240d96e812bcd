import type { Defaults, Project } from "../registry/types.ts";
import type { DeclaredBackup } from "../rsync/index.ts";

/**
 * What the registry says of a project's copy. Every way to a mirror run goes through here, so that
 * `up`, a preview and `repoman sync` go by the same rules.
 *
 * @returns undefined where the registry asks for no backup, or does not say where to
 */
export function declaredBackup(
  { name, repo, backup, backupPath, backupMaxAge, backupRules }: Project,
  { backupRoot, backupFstype, backupSource }: Defaults,
): DeclaredBackup | undefined {
  if (!backup || backupPath === undefined || backupRoot === undefined) return undefined;
  return {
    name,
    source: repo,
    destination: backupPath,
    backupRoot,
    maxAge: backupMaxAge,
    ...(backupFstype !== undefined && { expectedFstype: backupFstype }),
    ...(backupSource !== undefined && { expectedSource: backupSource }),
    ...backupRules,
  };
}
