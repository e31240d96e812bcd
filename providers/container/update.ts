// Changing a container in place: it is a pet, and only a changed image makes a new one.

import type { IncusClient } from "../../incus/client.ts";
import { isServerKey, needsRestart } from "../../incus/keys.ts";
import type { Config, Instance } from "../../incus/types.ts";
import { warn } from "../engine.ts";
import { MARK, marks, onlyMarks } from "../ownership.ts";
import type { ContainerInputs } from "./inputs.ts";
import { exempt, ownConfig } from "./live.ts";
import { bringUp, start, stop } from "./run.ts";

/** The config keys of a running container that differ and take effect only when it starts. */
export function keysForRestart(live: Config, wanted: Config): string[] {
  const keys = new Set([...Object.keys(live), ...Object.keys(wanted)]);
  return [...keys].filter((key) => live[key] !== wanted[key] && needsRestart(key)).sort();
}

/** What to say of changes that wait for a restart. */
export function restartNotice(name: string, keys: string[]): string {
  return (
    `container "${name}": ${keys.join(", ")} takes effect when it is restarted ` +
    `(set restart = true in the registry to have that done, or: repoman restart ${name})`
  );
}

/** Makes the instance what the inputs say, and brings it to its run state. */
export async function update(
  client: IncusClient,
  inputs: ContainerInputs,
  existing: Instance,
): Promise<Instance> {
  const { project, name, owner, image } = inputs;
  if (existing.name !== name) await renameBack(client, existing, name);

  const keys = keysForRestart(ownConfig(existing.config), exempt(existing, inputs).config);
  await client.updateInstance(project, name, (current) => {
    const wanted = exempt({ config: ownConfig(current.config), devices: current.devices }, inputs);
    return {
      ...current,
      description: wanted.description,
      profiles: wanted.profiles,
      devices: wanted.devices,
      config: {
        ...serverKeys(current.config),
        ...onlyMarks(current.config),
        ...wanted.config,
        ...marks(owner, name),
        [MARK.image]: image,
      },
    };
  });
  if (keys.length > 0 && existing.status === "Running" && inputs.running !== false) {
    if (inputs.restart) {
      await stop(client, project, name);
      await start(client, { project, name, status: "Stopped" });
    } else {
      await warn(restartNotice(name, keys));
    }
  }
  return bringUp(client, inputs, existing);
}

function serverKeys(config: Config): Config {
  return Object.fromEntries(Object.entries(config).filter(([key]) => isServerKey(key)));
}

/** Incus renames only stopped instances. */
async function renameBack(client: IncusClient, existing: Instance, name: string): Promise<void> {
  const { project } = existing;
  const ran = existing.status === "Running";
  if (ran) await stop(client, project, existing.name);
  await client.renameInstance(project, existing.name, name);
  if (ran) await start(client, { project, name, status: "Stopped" });
}
