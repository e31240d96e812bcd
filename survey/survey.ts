// The live facts that composition needs, read once: trouble with one project is found here and
// handed to its resources, because a handler that throws at preview would stop the whole run.

import type { IncusClient } from "../incus/client.ts";
import { isOwn } from "../providers/ownership.ts";
import type { Project, Registry } from "../registry/types.ts";
import { lookAtDisk } from "./disk.ts";
import { type Account, accounts, SubordinateIds } from "./owners.ts";
import {
  lookAtMounts,
  lookAtRepository,
  type RepositoryFacts,
  type Trouble,
} from "./repository.ts";
import { lookAtServer, type Strays, strays } from "./server.ts";

export interface ProjectFacts {
  /** The repository's owner, who becomes the user inside; absent where there is a fault. */
  owner?: Account;
  /** Whether this stack's container is there, whatever its state. */
  exists: boolean;
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
}

export interface SurveyOptions {
  client: IncusClient;
  registry: Registry;
  /** Names of the library's usable templates, and what is wrong with the others. */
  templates: { names: Set<string>; faults: Map<string, string> };
  stackId: string;
}

export async function survey(options: SurveyOptions): Promise<Survey> {
  const { client, registry, stackId } = options;
  const { incusProject, reposRoot } = registry.defaults;
  const [server, repositories, mounts, subordinate] = await Promise.all([
    lookAtServer(client, incusProject),
    Promise.all(registry.projects.map((project) => lookAtRepository(project, reposRoot))),
    Promise.all(registry.projects.map(lookAtMounts)),
    SubordinateIds.read(),
  ]);
  const disk = await lookAtDisk(registry, stackId);
  const owners = await accounts([
    ...new Set(repositories.flatMap((facts) => ("uid" in facts ? [facts.uid] : []))),
  ]);
  const existing = new Set(
    server.instances.filter(({ config }) => isOwn(config, { id: stackId })).map(({ name }) => name),
  );

  const projects = new Map<string, ProjectFacts>();
  registry.projects.forEach((project, index) => {
    const repository = repositories[index] as RepositoryFacts | Trouble;
    const { fault: mountFault, warnings = [] } = mounts[index] ?? {};
    const account = "uid" in repository ? ownerOf(project, repository, owners) : repository;
    const fault =
      ("fault" in account ? account.fault : idFault(project, account, subordinate)) ??
      mountFault ??
      profileFault(project, server.profiles, options.templates);
    projects.set(project.name, {
      ...("fault" in account ? {} : { owner: account }),
      ...(fault === undefined ? {} : { fault }),
      ...("fault" in repository ? { backupFault: repository.fault } : disk),
      exists: existing.has(project.name),
      warnings: project.enabled ? warnings : [],
    });
  });
  const declared = new Set(registry.projects.map(({ name }) => name));
  return {
    projects,
    profilesOnServer: server.profiles,
    ...strays(server.instances, declared, stackId),
  };
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
function idFault({ name }: Project, owner: Account, ids: SubordinateIds): string | undefined {
  if (owner.uid === 0) return undefined;
  const missing = ids.missing(owner);
  if (missing.length === 0) return undefined;
  return `project "${name}": Incus may not map the ids of ${owner.name} into a container\n  Run npm start, which adds what is missing: ${missing.join(", ")}`;
}

function profileFault(
  { name, profiles }: Project,
  onServer: Set<string>,
  { names, faults }: SurveyOptions["templates"],
): string | undefined {
  for (const profile of profiles) {
    if (names.has(profile)) continue;
    const fault = faults.get(profile);
    if (fault) return `project "${name}": ${fault}`;
    if (!onServer.has(profile)) {
      return `project "${name}": the profile "${profile}" is neither in the library nor on the server\n  Correct \`profiles\` in the registry, or put ${profile}.yml into profiles.d beside it.`;
    }
  }
  return undefined;
}
