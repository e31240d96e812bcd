// From an instance that repoman did not make to the registry entry that says what it is. Pure.

import { isAbsolute, relative } from "node:path";
import type { Config, Instance } from "../incus/types.ts";
import { ownConfig } from "../providers/container/live.ts";
import { mountDevice, REPOSITORY_DEVICE } from "../registry/mounts.ts";
import { tidy, within } from "../registry/paths.ts";
import { listeners, portDevice } from "../registry/port.ts";
import type { ProjectEntry } from "../registry/project-schema.ts";
import type { Defaults } from "../registry/types.ts";

/** A device that brings a directory below `repos_root`. */
export interface Candidate {
  /** Its name. */
  device: string;
  /** Absolute path on the host. */
  repo: string;
  /** Absolute path inside. */
  path: string;
}

/** The devices of an instance that could be its repository, by name. Those of profiles do not count. */
export function repositoryCandidates(instance: Instance, reposRoot: string): Candidate[] {
  return Object.entries(instance.devices)
    .flatMap(([device, { type, source, path, pool }]) => {
      if (type !== "disk" || pool !== undefined || source === undefined || path === undefined) {
        return [];
      }
      const repo = tidy(source);
      if (!isAbsolute(repo) || !within(repo, reposRoot) || repo === reposRoot) return [];
      return [{ device, repo, path: tidy(`/${path}`) }];
    })
    .sort((a, b) => (a.device < b.device ? -1 : 1));
}

/** How one property of the instance is told in the registry. */
export interface Translated {
  /** `config limits.memory`, `device eth1`, … */
  property: string;
  /** What it is on the server, on one line; not made printable. */
  value: string;
  /** Where the registry says it: `env.A`, `ports`, `device.gpu0`. */
  becomes: string;
}

export interface Translation {
  entry: ProjectEntry;
  rows: Translated[];
}

export interface TranslateOptions {
  repository: Candidate;
  /** As the mark is to have it. */
  image: string;
  defaults: Defaults;
  /** The owner of the repository: whose ids repoman would map by itself. */
  owner: { uid: number; gid: number };
  /**
   * Whether proxies and disks that repoman would make just so are told as ports and mounts; else
   * every device is told by all of its options.
   */
  recognise: boolean;
  /** ISO 8601. */
  created?: string;
}

/** The entry that matches an instance as it is. */
export function translate(instance: Instance, options: TranslateOptions): Translation {
  const { repository, image, defaults, owner, recognise, created } = options;
  const rows: Translated[] = [];
  const say = (property: string, value: string, becomes: string) =>
    rows.push({ property, value, becomes });
  const { name, description, profiles } = instance;
  const repo = relative(defaults.reposRoot, repository.repo);
  const entry: ProjectEntry = { name };

  if (repo !== name) entry.repo = repo;
  if (repository.path !== repository.repo) entry.path = repository.path;
  if (description !== `repoman: ${repository.repo}`) {
    entry.description = description;
    if (description !== "") say("description", description, "description");
  }
  entry.image = image;
  say("image", instance.config["image.description"] ?? image, `image = ${JSON.stringify(image)}`);
  if (JSON.stringify(profiles) !== JSON.stringify(defaults.profiles)) entry.profiles = profiles;
  say("profiles", profiles.join(", ") || "none", "profiles");

  const idmap = instance.config["raw.idmap"];
  if (idmap !== ownersMap(owner)) {
    entry.idmap = idmap ?? "none";
    // Without a map of its own a repository of root's gets none from repoman either.
    if (idmap === undefined && owner.uid === 0) delete entry.idmap;
    else say("raw.idmap", idmap ?? "none", idmap === undefined ? 'idmap = "none"' : "idmap");
  } else if (idmap !== undefined) say("raw.idmap", idmap, "the owner's, as ever");

  const config: Config = {};
  const env: Config = {};
  for (const [key, value] of sorted(ownConfig(instance.config))) {
    if (key === "raw.idmap") continue;
    const variable = /^environment\.(.+)$/s.exec(key)?.[1];
    if (variable === undefined) config[key] = value;
    else env[variable] = value;
    say(key, value, variable === undefined ? "config" : `env.${variable}`);
  }
  if (Object.keys(env).length > 0) entry.env = env;
  if (Object.keys(config).length > 0) entry.config = config;

  const devices: Record<string, Config> = {};
  const ports: string[] = [];
  const mounts: NonNullable<ProjectEntry["mount"]> = [];
  for (const [device, options] of sorted(instance.devices)) {
    const value = Object.entries(options)
      .filter(([key]) => key !== "type")
      .map(([key, each]) => `${key}=${each}`)
      .join(" ");
    const shown = `${options.type ?? "?"} ${value}`;
    const port = recognise ? asPort(device, options) : undefined;
    const mount = recognise ? asMount(device, options) : undefined;
    if (device === repository.device && isPlain(device, options, repository, owner)) {
      say(`device ${device}`, shown, "repo");
    } else if (port !== undefined) {
      ports.push(port);
      say(`device ${device}`, shown, `ports ${JSON.stringify(port)}`);
    } else if (mount !== undefined) {
      mounts.push(mount);
      say(`device ${device}`, shown, `mount ${mount.path}`);
    } else {
      devices[device] = options;
      const what = device === repository.device ? `repo, by device.${device}` : `device.${device}`;
      say(`device ${device}`, shown, what);
    }
  }
  if (ports.length > 0) entry.ports = ports;
  if (mounts.length > 0) entry.mount = mounts;
  if (Object.keys(devices).length > 0) entry.device = devices;
  if (created !== undefined) entry.created = created;
  return { entry, rows };
}

/** What repoman writes for an owner; nothing for root. */
function ownersMap({ uid, gid }: { uid: number; gid: number }): string | undefined {
  return uid === 0 ? undefined : `uid ${uid} ${uid}\ngid ${gid} ${gid}`;
}

/** Whether repoman would make the repository's device exactly so. */
function isPlain(
  device: string,
  options: Config,
  { repo, path }: Candidate,
  { uid }: { uid: number },
): boolean {
  const wanted = { type: "disk", source: repo, path, ...(uid === 0 ? { shift: "true" } : {}) };
  return device === REPOSITORY_DEVICE && same(options, wanted);
}

function asPort(device: string, options: Config): string | undefined {
  const { type, listen = "", connect = "" } = options;
  const [listener, ...more] = listeners(listen);
  if (type !== "proxy" || !listener || more.length > 0) return undefined;
  const { protocol, address, first, last } = listener;
  const [, inside] = /^(?:tcp|udp):127\.0\.0\.1:(\d+)$/.exec(connect) ?? [];
  if (first !== last || inside === undefined || !/^(tcp|udp)$/.test(protocol)) return undefined;
  const port = {
    listen: first,
    connect: Number(inside),
    protocol: protocol as "tcp" | "udp",
    address,
  };
  const host = address.includes(":") ? `[${address}]` : address;
  const made = {
    type: "proxy",
    listen: `${protocol}:${host}:${first}`,
    connect: `${protocol}:127.0.0.1:${inside}`,
  };
  if (portDevice(port) !== device || !same(options, made)) return undefined;
  const where = address === "127.0.0.1" ? "" : `${host}:`;
  return `${where}${first}:${inside}${protocol === "udp" ? "/udp" : ""}`;
}

function asMount(device: string, options: Config) {
  const { type, source, path, readonly, required, ...more } = options;
  if (type !== "disk" || source === undefined || path === undefined) return undefined;
  if (Object.keys(more).length > 0 || mountDevice(path) !== device) return undefined;
  if (!["true", undefined].includes(readonly) || !["false", undefined].includes(required)) {
    return undefined;
  }
  if (!isAbsolute(source) || !isAbsolute(path) || tidy(source) !== source || tidy(path) !== path) {
    return undefined;
  }
  return {
    source,
    path,
    ...(readonly === "true" ? { readonly: true } : {}),
    ...(required === "false" ? { optional: true } : {}),
  };
}

function same(a: Config, b: Config): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
