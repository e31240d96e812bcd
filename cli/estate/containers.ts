// The containers that a command was asked to do something with, at once and without Pulumi.

import { EXIT, Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import type { Instance } from "../../incus/types.ts";
import { describeOwner, isOwn } from "../../providers/ownership.ts";
import type { Project } from "../../registry/types.ts";
import type { Context } from "../context.ts";

export interface Container {
  project: Project;
  instance: Instance;
}

/**
 * The containers of projects, in the order of the names, in one request.
 *
 * @throws Fault for those that are not there, (conflict) for those that are another's, (environment)
 *   for one whose cluster member is down
 */
export async function findContainers(
  { registry, config }: Context,
  client: IncusClient,
  names: readonly string[],
): Promise<Container[]> {
  const { incusProject } = registry.defaults;
  const instances = await client.getInstances(incusProject, 1);
  const found = names.flatMap((name) => {
    const project = registry.projects.find((each) => each.name === name);
    const instance = instances.find((each) => each.name === name);
    return project && instance ? [{ project, instance }] : [];
  });
  const missing = names.filter((name) => !found.some(({ project }) => project.name === name));
  if (missing.length > 0) {
    const whose = missing.length > 1 ? "have no containers" : "has no container";
    throw new Fault(`${missing.join(", ")} ${whose} in the Incus project "${incusProject}"`, {
      remedy: `Make what the registry declares: repoman up ${missing.join(" ")}`,
    });
  }
  for (const { instance } of found) {
    if (!isOwn(instance.config, { id: config.stackId ?? "" })) {
      throw new Fault(
        `the instance "${instance.name}" in the Incus project "${incusProject}" is not this stack's: ${describeOwner(instance.config)}`,
        {
          remedy: `Take it into the estate (repoman adopt ${instance.name}), or rename the project in the registry.`,
          exitCode: EXIT.conflict,
        },
      );
    }
    if (instance.status === "Error") {
      throw new Fault(
        `the cluster member ${instance.location}, which has the container "${instance.name}", is out of reach`,
        { remedy: "See which are down: incus cluster list", exitCode: EXIT.environment },
      );
    }
  }
  return found;
}
