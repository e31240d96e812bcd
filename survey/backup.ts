import { readApprovedFile } from "../registry/trust.ts";
import type { Defaults, Project, Registry } from "../registry/types.ts";
import type { DeclaredBackup } from "../rsync/index.ts";

/**
 * What the registry says of the projects' copies, by name; projects for which it asks for none are
 * left out. Every way to a mirror run goes through here, so that `up`, a preview and `repoman sync`
 * go by the same rules.
 *
 * @param env for where what was trusted is kept
 */
export async function declaredBackups(
  { projects, defaults }: Registry,
  env: NodeJS.ProcessEnv,
): Promise<Map<string, DeclaredBackup>> {
  const declared = await Promise.all(
    projects.map(async (project) => {
      const backup = declaredBackup(project, defaults);
      return backup ? [{ ...backup, ...(await trustedExclude(project, env)) }] : [];
    }),
  );
  return new Map(declared.flat().map((backup) => [backup.name, backup]));
}

function declaredBackup(
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

/** What the repository asks to leave out, as far as the user has agreed with it. */
async function trustedExclude(
  { name, repo }: Project,
  env: NodeJS.ProcessEnv,
): Promise<Pick<DeclaredBackup, "repositoryExclude">> {
  const approved = await readApprovedFile({ env, project: name, repo }, ".repoman-exclude");
  if (!approved || !("bytes" in approved)) return {};
  return { repositoryExclude: { trusted: approved.bytes.toString("latin1") } };
}
