import { isAbsolute, join } from "node:path";
import { paths } from "../host/paths.js";
import { keysAt, type Loose } from "./check.ts";
import type { Document, Origin } from "./document.ts";
import { seconds } from "./duration.ts";
import { type Findings, origin } from "./findings.ts";
import { absolute, absolutePath } from "./paths.ts";
import { BUILT_IN, type RegistryFile, registrySchema } from "./schema.ts";
import { type Facts, substitute } from "./substitute.ts";
import { nearest, quote } from "./text.ts";
import type { Defaults } from "./types.ts";

/**
 * Resolves `[defaults]`, with the environment and what is built in standing in for what it does not
 * say.
 *
 * @returns the defaults, where `backup_root` was written, and whether `repos_root` is what the user
 *   meant
 */
export function resolveDefaults(
  document: Document,
  data: Loose<RegistryFile>,
  env: NodeJS.ProcessEnv,
  facts: Facts,
  findings: Findings,
): { defaults: Defaults; backupRootOrigin: Origin; rootKnown: boolean } {
  const written = data.defaults ?? {};
  const path = (value: string) => absolute(substitute(value, facts).text, facts.home);
  for (const key of ["repos_root", "local_repos", "backup_root", "nfs_repos", "logdir"] as const) {
    const value = written[key];
    if (value === undefined || isAbsolute(path(value))) continue;
    findings.add({
      origin: origin(document, "defaults", key),
      at: "value",
      what: `[defaults]: ${key} ${quote(value)} has a variable that means nothing here`,
      remedy: 'begin it with "/" or "~/"',
    });
  }
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
    return stated === undefined ? fromEnvironment(variable, env[variable]) : path(stated);
  };
  const misled: string[] = [];
  /** A root that the registry leaves to the environment, where older scripts set it. */
  const fromEnvironment = (variable: string, value: string | undefined) => {
    if (!value) return undefined;
    const wrong = absolutePath(value);
    if (!wrong) return path(value);
    const what = `${quote(value)} ${wrong.what}`;
    findings.addLocated({ file: `environment variable ${variable}`, what, remedy: wrong.remedy });
    misled.push(variable);
    return undefined;
  };
  const reposRoot = root("repos_root") ?? path(BUILT_IN.repos_root);
  const backupRoot = root("backup_root");
  const maxAge = seconds(written.backup_max_age ?? BUILT_IN.backup_max_age) ?? 0;
  const exclude = written.exclude?.filter((each) => each !== undefined);
  const key = written.backup_root === undefined ? "nfs_repos" : "backup_root";
  return {
    defaults: {
      reposRoot,
      ...(backupRoot !== undefined && { backupRoot }),
      backupMaxAge: maxAge,
      ...(written.backup_fstype !== undefined && { backupFstype: written.backup_fstype }),
      ...(written.backup_source !== undefined && { backupSource: written.backup_source }),
      ...(exclude && { exclude }),
      logdir:
        written.logdir === undefined ? join(paths(env).stateDir, "log") : path(written.logdir),
      incusProject: written.incus_project ?? BUILT_IN.incus_project,
      defaultImage: written.default_image ?? BUILT_IN.default_image,
      profiles: written.profiles?.filter((each) => each !== undefined) ?? [...BUILT_IN.profiles],
    },
    backupRootOrigin: origin(document, "defaults", key),
    rootKnown: !document.incomplete && misled.length === 0 && !rootMisspelt(document, findings),
  };
}

/** Whether something is wrong that `repos_root` may hide in; not every repository is misplaced then. */
function rootMisspelt(document: Document, findings: Findings): boolean {
  const others = keysAt(registrySchema, ["defaults"]).filter((key) => !/repos/.test(key));
  return (
    [...findings.keysUnder(document, ["defaults"])].some((key) => !others.includes(key)) ||
    [...findings.keysUnder(document, [])].some(
      (key) => nearest(key, ["defaults"]) && key !== "defaults",
    )
  );
}

const ROOTS = {
  repos_root: { older: "local_repos", variable: "LOCAL_REPOS" },
  backup_root: { older: "nfs_repos", variable: "NFS_REPOS" },
} as const;
