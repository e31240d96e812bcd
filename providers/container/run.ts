// Run state: starting, stopping, making ready, waiting for an address.

import { setTimeout as sleep } from "node:timers/promises";
import type { IncusClient } from "../../incus/client.ts";
import { NotFound } from "../../incus/errors.ts";
import type { Instance } from "../../incus/types.ts";
import { MARK } from "../ownership.ts";
import { forget } from "../server.ts";
import { stopping } from "../stopping.ts";
import type { ContainerInputs } from "./inputs.ts";
import { addressOf } from "./live.ts";
import { mountPoints } from "./parents.ts";
import { makeUser, readyMark } from "./user.ts";

/** Seconds that a clean stop may take before the instance is killed. */
const STOP_SECONDS = 30;
const ADDRESS_MS = 10_000;
const ADDRESS_STEP_MS = 200;

export async function start(
  client: IncusClient,
  { project, name, status }: Pick<Instance, "project" | "name" | "status">,
): Promise<void> {
  const action = status === "Frozen" ? "unfreeze" : "start";
  await client.setInstanceState(project, name, { action }, { signal: stopping });
}

/** Stops cleanly where it can be done in time, else kills. */
export async function stop(client: IncusClient, project: string, name: string): Promise<void> {
  try {
    const clean = { action: "stop", timeout: STOP_SECONDS } as const;
    await client.setInstanceState(project, name, clean, { signal: stopping });
  } catch (error) {
    if (error instanceof NotFound || stopping.aborted) throw error;
    const kill = { action: "stop", force: true } as const;
    await client.setInstanceState(project, name, kill, { signal: stopping });
  }
}

/**
 * Brings a container to the run state that is wanted of it, its user made and proved.
 * One whose user is not made yet is started for that, and stopped again where it should not run.
 *
 * @param before as it was before it was changed: mounts that are new to a running one have parents
 *   that Incus has just made
 */
export async function bringUp(
  client: IncusClient,
  inputs: ContainerInputs,
  before?: Instance,
): Promise<Instance> {
  const { project, name, running } = inputs;
  let { value: instance } = await client.getInstance(project, name);
  const unfinished = instance.config[MARK.ready] === undefined;
  const runs = instance.status === "Running";
  const shouldRun = running ?? (unfinished || runs);
  const readied = instance.config[MARK.ready] === readyMark(inputs);

  if (!runs && (shouldRun || !readied)) await start(client, instance);
  const mounts = mountPoints(instance.expanded_devices);
  const known = before && mountPoints(before.expanded_devices);
  const plugged = runs && known !== undefined && mounts.some((path) => !known.includes(path));
  if (!readied || (!runs && shouldRun) || plugged) {
    await makeUser(client, inputs, mounts);
    await client.updateInstance(
      project,
      name,
      ({ config: { [MARK.making]: _making, ...config }, ...current }) => ({
        ...current,
        config: { ...config, [MARK.ready]: readyMark(inputs) },
      }),
      { signal: stopping },
    );
  }
  if (!shouldRun && (runs || !readied)) await stop(client, project, name);
  ({ value: instance } = await client.getInstance(project, name));
  return instance;
}

/** Waits for the address of a container that was just started; at most ten seconds. */
export async function awaitAddress(
  client: IncusClient,
  instance: Instance,
): Promise<string | null> {
  const deadline = Date.now() + ADDRESS_MS;
  const hasNic = Object.values(instance.expanded_devices ?? {}).some((d) => d.type === "nic");
  for (;;) {
    forget(client);
    const address = await addressOf(client, instance);
    const due = hasNic && instance.status === "Running" && Date.now() < deadline;
    if (address || !due || stopping.aborted) return address;
    await sleep(ADDRESS_STEP_MS, undefined, { signal: stopping }).catch(() => {});
  }
}
