import { paths } from "../host/paths.js";
import type { Loose } from "./check.ts";
import type { Document, Origin } from "./document.ts";
import { seconds } from "./duration.ts";
import { type Findings, origin } from "./findings.ts";
import { absolute, absolutePath } from "./paths.ts";
import { BUILT_IN, type RegistryFile } from "./schema.ts";
import { type Facts, substitute } from "./substitute.ts";
import { quote } from "./text.ts";
import type { Defaults } from "./types.ts";

/**
 * Resolves `[defaults]`, with the environment and what is built in standing in for what it does not
 * say.
 *
 * @returns the defaults, and where `backup_root` was written
 */
export function resolveDefaults(
  document: Document,
  data: Loose<RegistryFile>,
  env: NodeJS.ProcessEnv,
  facts: Facts,
  findings: Findings,
): { defaults: Defaults; backupRootOrigin: Origin } {
  const written = data.defaults ?? {};
  const path = (value: string) => absolute(substitute(value, facts).text, facts.home);
  const root = (name: "repos_root" | "backup_root") => {
    const { older, variable } = ROOTS[name];
    const value = written[name];
    const old = written[older];
    if (value !== undefined && old !== undefined && path(value) !== path(old)) {
      findings.add({
        origin: origin(document, "defaults", older),
        at: "value",
        what: `[defaults]: ${older} ${quote(old)} and ${name} ${quote(value)} name two places`,
        remedy: `remove ${older}, the older name of ${name}`,
      });
    }
    const stated = value ?? old;
    return stated === undefined ? fromEnvironment(env, variable, facts, findings) : path(stated);
  };
  const reposRoot = root("repos_root") ?? path(BUILT_IN.repos_root);
  const backupRoot = root("backup_root");
  const maxAge = seconds(written.backup_max_age ?? BUILT_IN.backup_max_age) ?? 0;
  const key = written.backup_root === undefined ? "nfs_repos" : "backup_root";
  return {
    defaults: {
      reposRoot,
      ...(backupRoot !== undefined && { backupRoot }),
      backupMaxAge: maxAge,
      logdir: written.logdir === undefined ? paths(env).stateDir : path(written.logdir),
      incusProject: written.incus_project ?? BUILT_IN.incus_project,
      defaultImage: written.default_image ?? BUILT_IN.default_image,
      profiles: written.profiles?.filter((each) => each !== undefined) ?? [...BUILT_IN.profiles],
    },
    backupRootOrigin: origin(document, "defaults", key),
  };
}

const ROOTS = {
  repos_root: { older: "local_repos", variable: "LOCAL_REPOS" },
  backup_root: { older: "nfs_repos", variable: "NFS_REPOS" },
} as const;

/** A root that the registry leaves to the environment, as scripts from before the registry set it. */
function fromEnvironment(
  env: NodeJS.ProcessEnv,
  variable: string,
  { home }: Facts,
  findings: Findings,
): string | undefined {
  const value = env[variable];
  if (!value) return undefined;
  const wrong = absolutePath(value);
  if (!wrong) return absolute(value, home);
  findings.addLocated({
    file: `environment variable ${variable}`,
    what: `${quote(value)} ${wrong.what}`,
    remedy: wrong.remedy,
  });
  return undefined;
}
