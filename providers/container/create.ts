// Making a container, and making one in another's place.

import { EXIT, exitCodeOf, Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { NotFound, Unreachable } from "../../incus/errors.ts";
import { imageSource } from "../../incus/images.ts";
import type { Instance } from "../../incus/types.ts";
import { describeOwner, isOwn, MARK, marks } from "../ownership.ts";
import { instancesOf } from "../server.ts";
import { stopping } from "../stopping.ts";
import type { ContainerInputs } from "./inputs.ts";
import { findAside, isHalfMade, uuidOf } from "./live.ts";
import { bringUp, start, stop } from "./run.ts";
import { update } from "./update.ts";

/** Why an instance of this name is in the way, if it is; the remedy says how to adopt it. */
export function conflict(
  inputs: ContainerInputs,
  existing: Instance | undefined,
): string | undefined {
  if (!existing || isOwn(existing.config, inputs.owner)) return undefined;
  const { project, name } = inputs;
  return (
    `an instance "${name}" exists in the Incus project "${project}" and ${describeOwner(existing.config)}\n` +
    `  Rename it or the project in the registry. To take it on as it is, take the entry out of the registry, then: repoman adopt ${name}`
  );
}

/**
 * Makes the container that the inputs describe. What carries this stack's mark is taken over and
 * finished, so that a half-made container or a lost Pulumi state is mended by another `up`. One of
 * another image makes room: it stands aside, stopped and renamed, until the new one is up.
 */
export async function create(client: IncusClient, inputs: ContainerInputs): Promise<Instance> {
  const instances = await instancesOf(client, inputs.project);
  let existing = instances.find(({ name }) => name === inputs.name);
  const reason = conflict(inputs, existing);
  if (reason) throw new Fault(reason, { exitCode: EXIT.conflict });

  const aside = findAside(instances, inputs);
  if (aside?.config[MARK.image] === inputs.image) {
    // What was being replaced is wanted again.
    await putBack(client, inputs, uuidOf(aside));
    return update(client, inputs, (await client.getInstance(inputs.project, inputs.name)).value);
  }
  const isOther = existing !== undefined && existing.config[MARK.image] !== inputs.image;
  if (existing && (isHalfMade(existing) || (isOther && aside && aside !== existing))) {
    // Cut off, or made for another that stands aside still, and not wanted any more.
    await remove(client, existing);
    existing = undefined;
  }
  if (existing && isOther) {
    await stepAside(client, inputs, existing);
    return replaceBy(client, inputs, existing);
  }
  if (aside) return replaceBy(client, inputs, aside, existing);
  if (existing) return update(client, inputs, existing);
  return make(client, inputs);
}

/** A container from nothing. One that fails half-way stays, marked, for the next run to finish. */
export async function make(client: IncusClient, inputs: ContainerInputs): Promise<Instance> {
  const { project, name, image, description, profiles, config, devices, owner, target } = inputs;
  await client.createInstance(
    project,
    {
      name,
      type: "container",
      source: await imageSource(image, process.env, inputs.remote || "local"),
      description,
      profiles,
      config: { ...config, ...marks(owner, name), [MARK.image]: image, [MARK.making]: "true" },
      devices,
    },
    { signal: stopping, ...(target === undefined ? {} : { target }) },
  );
  return bringUp(client, inputs);
}

const ASIDE_NAME_LENGTH = 63;

async function stepAside(
  client: IncusClient,
  inputs: ContainerInputs,
  old: Instance,
): Promise<void> {
  const { project, name } = inputs;
  const suffix = `-old-${uuidOf(old).slice(0, 8)}`;
  // The mark comes first: killed after it, the next run finds an instance of its own name and goes on.
  await client.updateInstance(project, name, (current) => ({
    ...current,
    config: { ...current.config, [MARK.aside]: current.config[MARK.aside] ?? old.status },
  }));
  if (old.status === "Running") await stop(client, project, name);
  await client.renameInstance(
    project,
    name,
    name.slice(0, ASIDE_NAME_LENGTH - suffix.length) + suffix,
  );
}

/** Makes the new container and removes the old one, or puts that back as it was. */
async function replaceBy(
  client: IncusClient,
  inputs: ContainerInputs,
  old: Instance,
  half?: Instance,
): Promise<Instance> {
  let made: Instance;
  try {
    made = half ? await update(client, inputs, half) : await make(client, inputs);
  } catch (error) {
    if (stopping.aborted || error instanceof Unreachable) throw error;
    await putBack(client, inputs, uuidOf(old));
    const cause = error instanceof Error ? error.message : String(error);
    throw new Fault(
      `container "${inputs.name}": the replacement from image "${inputs.image}" did not come up, ` +
        `so the old container is back in its place: ${cause}`,
      {
        remedy: `Mend that, or go back to the former image, then: repoman up ${inputs.name}`,
        exitCode: exitCodeOf(error),
        cause: error,
      },
    );
  }
  // The engine would do it next, but not for one that its state does not know.
  const left = (await instancesOf(client, inputs.project)).find(
    (instance) => uuidOf(instance) === uuidOf(old),
  );
  if (left) await remove(client, left);
  return made;
}

/** Gives the old container its name and its run state again, and removes what was to replace it. */
export async function putBack(
  client: IncusClient,
  inputs: ContainerInputs,
  uuid: string,
): Promise<void> {
  const { project, name, owner } = inputs;
  const instances = await instancesOf(client, project);
  const failed = instances.find((instance) => instance.name === name);
  if (failed && isOwn(failed.config, owner) && uuidOf(failed) !== uuid) {
    await remove(client, failed);
  }
  const old = instances.find((instance) => uuidOf(instance) === uuid);
  if (!old) return;
  if (old.name !== name) await client.renameInstance(project, old.name, name);
  await client.updateInstance(project, name, (current) => {
    const { [MARK.aside]: _aside, ...config } = current.config;
    return { ...current, config };
  });
  if (old.config[MARK.aside] === "Running") {
    await start(client, { project, name, status: "Stopped" });
  }
}

/** Deletes an instance whatever its run state; nothing outside of it is touched. */
export async function remove(client: IncusClient, instance: Instance): Promise<void> {
  const { project, name } = instance;
  try {
    if (instance.status !== "Stopped") {
      await client.setInstanceState(project, name, { action: "stop", force: true });
    }
    await client.deleteInstance(project, name);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
}
