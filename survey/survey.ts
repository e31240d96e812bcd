// The live facts that composition needs, read once: trouble with one project is found here and
// handed to its resources, because a handler that throws at preview would stop the whole run.

import type { IncusClient } from "../incus/client.ts";
import type { Instance } from "../incus/types.ts";
import { isOwn } from "../providers/ownership.ts";
import { problemLine } from "../registry/fault.ts";
import type { Library, Project, Registry } from "../registry/types.ts";
import type { DeclaredBackup } from "../rsync/index.ts";
import { declaredBackups } from "./backup.ts";
import { lookAtDisk } from "./disk.ts";
import { type Account, accounts, SubordinateIds } from "./owners.ts";
import {
  lookAtMounts,
  lookAtRepository,
  type MountFacts,
  type RepositoryFacts,
  type Trouble,
} from "./repository.ts";
import { lookAtServer, type Strays, strays } from "./server.ts";

export interface ProjectFacts {
  /** The repository's owner, who becomes the user inside; absent where there is a fault. */
  owner?: Account;
  /** Whether this stack's container is there, whatever its state. */
  exists: boolean;
  /** What it was called before, while the stack's state may still know it so. */
  formerName?: string;
  /** Why the container cannot be what the registry says, with the remedy. */
  fault?: string;
  /** Why its copy cannot be made, with the remedy. */
  backupFault?: string;
  warnings: string[];
}

export interface Survey extends Strays {
  projects: Map<string, ProjectFacts>;
  /** Names of the profiles on the server, in the project `default`. */
  profilesOnServer: Set<string>;
  /** What the registry says of the projects' copies. */
  backups: Map<string, DeclaredBackup>;
}

/** Names of the library's usable templates, and what is wrong with the others. */
export interface Templates {
  names: Set<string>;
  faults: Map<string, string>;
}

export interface SurveyOptions {
  client: IncusClient;
  registry: Registry;
  templates: Templates;
  stackId: string;
}

export async function survey(options: SurveyOptions): Promise<Survey> {
  const { client, registry, stackId, templates } = options;
  // Each of them may have to wait for something that does not answer.
  const [server, host, { backups, disk }] = await Promise.all([
    lookAtServer(client, registry.defaults.incusProject),
    lookAtHost(registry),
    lookAtBackups(registry, stackId),
  ]);
  const declared = new Set(registry.projects.map(({ name }) => name));
  return {
    projects: projectFacts({ registry, host, server, templates, stackId, disk }),
    profilesOnServer: server.profiles,
    backups,
    ...strays(server.instances, declared, stackId),
  };
}

async function lookAtBackups(registry: Registry, stackId: string) {
  const backups = await declaredBackups(registry, process.env);
  return { backups, disk: await lookAtDisk(registry, backups, stackId) };
}

export function templatesOf(library: Library): Templates {
  const faults = [...library.faults].map(([name, fault]) => [name, problemLine(fault)] as const);
  return { names: new Set(library.keys()), faults: new Map(faults) };
}

/** What this machine alone tells of the projects, in the order of the registry. */
export interface HostFacts {
  repositories: (RepositoryFacts | Trouble)[];
  mounts: MountFacts[];
  owners: Map<number, Account>;
  subordinate: SubordinateIds;
}

export async function lookAtHost({ projects, defaults }: Registry): Promise<HostFacts> {
  const [repositories, mounts, subordinate] = await Promise.all([
    Promise.all(projects.map((project) => lookAtRepository(project, defaults.reposRoot))),
    Promise.all(projects.map(lookAtMounts)),
    SubordinateIds.read(),
  ]);
  const owners = await accounts([
    ...new Set(repositories.flatMap((facts) => ("uid" in facts ? [facts.uid] : []))),
  ]);
  return { repositories, mounts, owners, subordinate };
}

export interface Findings {
  registry: Registry;
  host: HostFacts;
  server: {
    instances: readonly Instance[];
    /** Undefined where the server was not asked: then no profile is missed. */
    profiles?: Set<string> | undefined;
  };
  templates: Templates;
  stackId: string;
  /** What `lookAtDisk` said, where it was asked. */
  disk?: { backupFault?: string };
}

/** What was found, by project. Pure. */
export function projectFacts({
  registry,
  host,
  server,
  templates,
  stackId,
  disk = {},
}: Findings): Map<string, ProjectFacts> {
  const existing = new Set(
    server.instances.filter(({ config }) => isOwn(config, { id: stackId })).map(({ name }) => name),
  );
  const projects = new Map<string, ProjectFacts>();
  registry.projects.forEach((project, index) => {
    const repository = host.repositories[index] as RepositoryFacts | Trouble;
    const { fault: mountFault, warnings = [] } = host.mounts[index] ?? {};
    const account = "uid" in repository ? ownerOf(project, repository, host.owners) : repository;
    const fault =
      ("fault" in account ? account.fault : idFault(project, account, host.subordinate)) ??
      mountFault ??
      profileFault(project, server.profiles, templates);
    projects.set(project.name, {
      ...("fault" in account ? {} : { owner: account }),
      ...(fault === undefined ? {} : { fault }),
      ...("fault" in repository ? { backupFault: repository.fault } : disk),
      exists: existing.has(project.name),
      warnings: project.enabled ? warnings : [],
    });
  });
  return projects;
}

function ownerOf(
  { name, repo }: Project,
  { uid, gid }: RepositoryFacts,
  owners: Map<number, Account>,
): Account | Trouble {
  const account = owners.get(uid);
  if (account) return account;
  return {
    fault: `project "${name}": the owner of ${JSON.stringify(repo)} (${uid}:${gid}) is no user of this host\n  Give the repository to a user: chown -R <user>: ${JSON.stringify(repo)}`,
  };
}

/** Incus may map only ids that `/etc/subuid` and `/etc/subgid` lend it; root's own are never mapped. */
function idFault(
  { name, idmap }: Project,
  owner: Account,
  ids: SubordinateIds,
): string | undefined {
  if (owner.uid === 0 || idmap !== undefined) return undefined;
  const missing = ids.missing(owner);
  if (missing.length === 0) return undefined;
  return `project "${name}": Incus may not map the ids of ${owner.name} into a container\n  Run npm start or repoman setup, which add what is missing: ${missing.join(", ")}`;
}

function profileFault(
  { name, profiles }: Project,
  onServer: Set<string> | undefined,
  { names, faults }: Templates,
): string | undefined {
  for (const profile of profiles) {
    if (names.has(profile)) continue;
    const fault = faults.get(profile);
    if (fault) return `project "${name}": ${fault}`;
    if (onServer && !onServer.has(profile)) {
      return `project "${name}": the profile "${profile}" is neither in the library nor on the server\n  Correct \`profiles\` in the registry, or put ${profile}.yml into profiles.d beside it.`;
    }
  }
  return undefined;
}
