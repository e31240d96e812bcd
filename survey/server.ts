// What is on the server that composition needs to know, in as few requests as there are lists.

import type { IncusClient } from "../incus/client.ts";
import type { Instance } from "../incus/types.ts";
import { isOwn } from "../providers/ownership.ts";

export interface ServerFacts {
  /** Names of the profiles in the project `default`. */
  profiles: Set<string>;
  /** The instances of the estate's project; none where it does not exist yet. */
  instances: Instance[];
}

export async function lookAtServer(client: IncusClient, project: string): Promise<ServerFacts> {
  const [profiles, instances] = await Promise.all([
    client.getProfiles("default"),
    client.getInstances(project, 1),
  ]);
  return { profiles: new Set(profiles.map(({ name }) => name)), instances };
}

export interface Strays {
  /** In the project, not in the registry and not made by this stack. */
  orphans: string[];
  /** Made by this stack for a project that the registry no longer names. */
  leaving: string[];
}

/** The instances that no project of the registry accounts for, sorted by name. */
export function strays(instances: Instance[], declared: Set<string>, stackId: string): Strays {
  const others = instances.filter(({ name }) => !declared.has(name));
  const owned = (own: boolean) =>
    others.filter(({ config }) => isOwn(config, { id: stackId }) === own).map(({ name }) => name);
  return { orphans: owned(false).sort(), leaving: owned(true).sort() };
}
