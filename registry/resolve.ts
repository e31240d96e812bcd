import { resolveBackupRules } from "./backup-rules.ts";
import type { Origin } from "./document.ts";
import { seconds } from "./duration.ts";
import type { Findings } from "./findings.ts";
import { place, resolveMounts, resolvePorts } from "./mounts.ts";
import { mountPoint, repository, tidy } from "./paths.ts";
import type { Merged } from "./precedence.ts";
import { type Context, Reporter } from "./reporter.ts";
import { instanceName } from "./rules.ts";
import { resolveConfig, resolveDevices, resolveEnv } from "./settings.ts";
import { quote } from "./text.ts";
import type { Project } from "./types.ts";

/** A project, and where its parts were written. */
export interface Resolved {
  project: Project;
  merged: Merged;
  /** Whether its repository's place is known; where it is not, that was reported. */
  placed: boolean;
  /** Parallel to `project.mounts` and `project.ports`. */
  mountOrigins: Origin[];
  portOrigins: Origin[];
}

/**
 * Works out one project's effective configuration, and reports what cannot be right in it.
 *
 * @returns nothing where the name is missing, without which there is no project
 */
export function resolve(
  merged: Merged,
  context: Context,
  findings: Findings,
): Resolved | undefined {
  const { data, origin } = merged;
  if (data.name === undefined) return undefined;
  const { defaults } = context;
  const report = new Reporter(data.name, findings);
  for (const { origin: where, key } of merged.twice) {
    report.problem(where, `${quote(key)} is set twice`, "keep one of the two", "key");
  }

  const { repo, below, placed } = resolveRepository(merged, context, report);
  const { mounts, mountOrigins } = resolveMounts(merged, context, report);
  const { ports, portOrigins } = resolvePorts(merged);
  const hermes = typeof data.hermes === "object" ? data.hermes.enabled : data.hermes;
  const maxAge = data.backup_max_age && seconds(data.backup_max_age);
  const backup = data.backup ?? defaults.backupRoot !== undefined;
  if (backup && defaults.backupRoot === undefined) {
    report.warn(
      origin("backup"),
      "asks for a backup, and no backup_root says where to",
      "set backup_root in [defaults] or NFS_REPOS in the environment, or write backup = false",
    );
  }
  const backupRules = resolveBackupRules(context.backupRules, data);
  if (data.idmap !== undefined && givesRoot(data.idmap)) {
    report.warn(
      origin("idmap"),
      "idmap gives the container root's own id: root inside is root outside",
      "leave id 0 of the host out of it",
    );
  }
  const project: Project = {
    name: data.name,
    ...(data.description !== undefined && { description: data.description }),
    repo,
    path: resolvePath(merged, repo, context, report),
    image: data.image ?? defaults.defaultImage,
    profiles: resolveProfiles(merged, report) ?? defaults.profiles,
    enabled: data.enabled ?? true,
    backup,
    ...(backup &&
      below &&
      defaults.backupRoot && { backupPath: tidy(`${defaults.backupRoot}/${below}`) }),
    backupMaxAge: maxAge || defaults.backupMaxAge,
    ...(Object.keys(backupRules).length > 0 && { backupRules }),
    hermes: hermes ?? false,
    ...(data.running !== undefined && { running: data.running }),
    restart: data.restart ?? false,
    ignore: present(data.ignore ?? []),
    ...(data.idmap !== undefined && data.idmap !== "owner" && { idmap: data.idmap }),
    ...(data.target !== undefined && { target: data.target }),
    ports,
    mounts,
    env: resolveEnv(merged, context, report),
    config: resolveConfig(merged, report),
    devices: resolveDevices(merged, context, report),
    ...(data.created !== undefined && { created: moment(data.created) }),
    ...(data.last_sync !== undefined && { lastSync: moment(data.last_sync) }),
  };
  return { project, merged, placed, mountOrigins, portOrigins };
}

/** Whether an id map reaches id 0 of the host, which comes first in a line. */
function givesRoot(idmap: string): boolean {
  return idmap.split("\n").some((line) => /^\w+ 0+(-| )/.test(line));
}

/** Where the repository was said to be: it has the project's name where nothing else was written. */
export function repositoryOrigin({ data, origin }: Merged): Origin {
  return origin(data.repo === undefined ? "name" : "repo");
}

function resolveRepository(merged: Merged, context: Context, report: Reporter) {
  const { data, origin } = merged;
  const { reposRoot } = context.defaults;
  const written = data.repo ?? data.name ?? "";
  const { path, below } = repository(written, reposRoot, context.facts.home);
  // A bad name was reported already; what would follow from it as a path helps nobody.
  const judged =
    context.rootKnown &&
    !merged.refused.has("repo") &&
    (data.repo !== undefined || !instanceName(written));
  if (judged && below === undefined) {
    report.problem(
      origin("repo"),
      `repo ${quote(written)} is outside repos_root ${quote(reposRoot)}`,
      "write a path below repos_root, or choose a repos_root that holds it",
    );
  } else if (judged && below === "") {
    report.problem(
      origin("repo"),
      `repo ${quote(written)} is repos_root itself`,
      "name one repository below it",
    );
  }
  return { repo: path, below, placed: judged && Boolean(below) };
}

function resolvePath(merged: Merged, repo: string, context: Context, report: Reporter): string {
  const origin = merged.origin("path");
  const path =
    merged.data.path === undefined
      ? repo
      : place(merged.data.path, origin, "path", context, report);
  if (path === undefined) return repo;
  const wrong = mountPoint(path);
  if (wrong) report.problem(origin, `path ${quote(path)} ${wrong.what}`, wrong.remedy);
  return path;
}

function resolveProfiles({ data, origin }: Merged, report: Reporter): string[] | undefined {
  const profiles = data.profiles;
  profiles?.forEach((profile, index) => {
    if (profile !== undefined && profiles.indexOf(profile) < index) {
      report.problem(
        origin("profiles", index),
        `profile ${quote(profile)} is listed twice`,
        "keep the one whose place in the order is right",
      );
    }
  });
  return profiles && present(profiles);
}

function present<T>(list: readonly (T | undefined)[]): T[] {
  return list.filter((each) => each !== undefined);
}

/** TOML's own dates in the form that `repoman` writes. */
function moment(value: string | Date): string {
  return typeof value === "string" ? value : value.toISOString();
}
