// From what is on the server to what the registry could say of it.

import type { IncusClient } from "../../incus/client.ts";
import { isServerKey } from "../../incus/keys.ts";
import type { Config, Devices, Instance, InstanceState, NetworkLease } from "../../incus/types.ts";
import { isOwn, MARK, NOBODY, type Owner, withoutMarks } from "../ownership.ts";
import { listing } from "../server.ts";
import type { ContainerInputs, ContainerState } from "./inputs.ts";
import { readyMark } from "./user.ts";

/** The server's own id of an instance, which survives renames and is never used again. */
export function uuidOf(instance: Instance): string {
  return instance.config["volatile.uuid"] ?? "";
}

/**
 * The instance of a state: by its uuid, whatever it is called now; by name where the uuid is not
 * known yet, and then only with this stack's mark.
 */
export function findOwn(
  instances: Instance[],
  { name, owner, uuid }: { name: string; owner: Owner; uuid?: string },
): Instance | undefined {
  if (uuid) return instances.find((instance) => uuidOf(instance) === uuid);
  return instances.find((instance) => instance.name === name && isOwn(instance.config, owner));
}

/** The instance that stands aside while its replacement, of the registry's name, is made. */
export function findAside(
  instances: Instance[],
  { name, owner }: { name: string; owner: Owner },
): Instance | undefined {
  return instances.find(
    ({ config }) => isOwn(config, owner) && config[MARK.name] === name && config[MARK.aside],
  );
}

/**
 * Whether this stack began to make it and it has never run. Its root file system may be cut off:
 * the server lists an instance from the start of its unpacking, and when it dies in the middle of
 * that, ever after.
 */
export function isHalfMade({ config, status, last_used_at: used }: Instance): boolean {
  return config[MARK.making] !== undefined && status === "Stopped" && !(Date.parse(used) > 0);
}

/** A config without what the server computes and what repoman marks. */
export function ownConfig(config: Config): Config {
  return Object.fromEntries(
    Object.entries(withoutMarks(config)).filter(([key]) => !isServerKey(key)),
  );
}

/** The inputs that would make this very instance. What no server knows is taken from `state`. */
export function inputsFrom(instance: Instance, state: ContainerInputs): ContainerInputs {
  const { remote, project, name, owner, restart, ignore, user, path, target, running } = state;
  const { config } = instance;
  return {
    remote,
    project,
    // A container that stands aside for its replacement is not a renamed one.
    name: config[MARK.aside] ? name : instance.name,
    owner: isOwn(config, owner) ? owner : NOBODY,
    image: config[MARK.image] ?? state.image,
    description: instance.description,
    profiles: instance.profiles,
    config: ownConfig(config),
    devices: instance.devices,
    restart,
    ignore,
    ...(target === undefined ? {} : { target }),
    ...(running === undefined ? {} : { running: instance.status === "Running" }),
    user,
    path,
    ready: config[MARK.ready] === readyMark(state) && !config[MARK.aside],
  };
}

/** Complete outputs: everything of the inputs, and what only the server knows. */
export async function stateFrom(
  client: IncusClient,
  instance: Instance,
  inputs: ContainerInputs,
): Promise<ContainerState> {
  return {
    ...inputs,
    uuid: uuidOf(instance),
    state: instance.status,
    ipv4: await addressOf(client, instance),
  };
}

/**
 * The first IPv4 address of a running instance: from the leases of its managed networks, which
 * one request answers for all instances, else from the instance's own state.
 */
export async function addressOf(client: IncusClient, instance: Instance): Promise<string | null> {
  if (instance.status !== "Running") return null;
  const nics = nicsOf(instance);
  for (const { network } of nics) {
    if (!network) continue;
    const lease = leased(instance, await listing(client).leases(network, instance.project));
    if (lease) return lease;
  }
  if (nics.length === 0) return null;
  const { network } = await client.getInstanceState(instance.project, instance.name);
  return globalAddress(network);
}

/** The network cards of an instance, and the managed network of each that is on one. */
export function nicsOf(instance: Instance): { hwaddr?: string; network?: string }[] {
  return Object.entries(instance.expanded_devices ?? {}).flatMap(([device, nic]) => {
    if (nic.type !== "nic") return [];
    const hwaddr = nic.hwaddr ?? instance.config[`volatile.${device}.hwaddr`];
    return [{ ...(hwaddr && { hwaddr }), ...(nic.network && { network: nic.network }) }];
  });
}

/** The IPv4 address that an instance has among a network's leases. */
export function leased(instance: Instance, leases: readonly NetworkLease[]): string | undefined {
  const own = new Set(nicsOf(instance).flatMap(({ hwaddr }) => hwaddr ?? []));
  return leases.find(({ hwaddr, address }) => own.has(hwaddr) && !address.includes(":"))?.address;
}

/** The first global IPv4 address of an instance's own network state. */
export function globalAddress(network: InstanceState["network"]): string | null {
  for (const [name, { addresses }] of Object.entries(network ?? {})) {
    if (name === "lo") continue;
    const found = addresses.find(({ family, scope }) => family === "inet" && scope === "global");
    if (found) return found.address;
  }
  return null;
}

/**
 * What the registry exempts keeps the value that it has: config keys by name, devices as
 * `device:<name>`.
 */
export function exempt(
  live: { config?: Config; devices?: Devices },
  wanted: ContainerInputs,
): ContainerInputs {
  if (wanted.ignore.length === 0) return wanted;
  const config = { ...wanted.config };
  const devices = { ...wanted.devices };
  for (const entry of wanted.ignore) {
    if (entry.startsWith("device:")) keep(devices, live.devices, entry.slice("device:".length));
    else keep(config, live.config, entry);
  }
  return { ...wanted, config, devices };
}

function keep<T>(into: Record<string, T>, from: Record<string, T> | undefined, key: string): void {
  const value = from?.[key];
  if (value === undefined) delete into[key];
  else into[key] = value;
}
