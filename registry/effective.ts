// What a change means for a project: its effective configuration before and after, property by
// property. Pure.

import { isDeepStrictEqual } from "node:util";
import type { Mount, Port, Project } from "./types.ts";

/** One property that differs. Values are as they are: whoever prints them makes them printable. */
export interface EffectiveChange {
  /** `image`, `env.NODE_ENV`, `config.limits.memory`, `device.gpu0.type`, `mount /data`, … */
  property: string;
  /** Undefined where it was not there. */
  before?: string;
  /** Undefined where it will not be there. */
  after?: string;
}

/** Every property that differs, in the order of the registry's documentation. */
export function effectiveChanges(before: Project, after: Project): EffectiveChange[] {
  const [is, becomes] = [before, after].map(properties);
  const names = new Set([...(is?.keys() ?? []), ...(becomes?.keys() ?? [])]);
  return [...names].flatMap((property) => {
    const [old, now] = [is?.get(property), becomes?.get(property)];
    if (isDeepStrictEqual(old, now)) return [];
    return [
      {
        property,
        ...(old === undefined ? {} : { before: old }),
        ...(now === undefined ? {} : { after: now }),
      },
    ];
  });
}

function properties(project: Project): Map<string, string> {
  const { description, image, path, profiles, hermes, ports, mounts, env, config, devices } =
    project;
  const found = new Map<string, string>();
  if (description !== undefined) found.set("description", description);
  found.set("image", image);
  found.set("path", path);
  found.set("profiles", profiles.join(", "));
  found.set("hermes", String(hermes));
  for (const port of ports) found.set(...portOf(port));
  for (const mount of mounts) found.set(...mountOf(mount));
  for (const [key, value] of Object.entries(env)) found.set(`env.${key}`, value);
  for (const [key, value] of Object.entries(config)) found.set(`config.${key}`, value);
  for (const [name, device] of Object.entries(devices)) {
    for (const [key, value] of Object.entries(device)) found.set(`device.${name}.${key}`, value);
  }
  return found;
}

function portOf({ listen, connect, protocol, address }: Port): [string, string] {
  const host = address.includes(":") ? `[${address}]` : address;
  return [`port ${host}:${listen}/${protocol}`, `port ${connect} inside`];
}

function mountOf({ source, path, readonly, optional }: Mount): [string, string] {
  const how = [readonly ? "to read only" : "writable", ...(optional ? ["optional"] : [])];
  return [`mount ${path}`, `${source}, ${how.join(", ")}`];
}
