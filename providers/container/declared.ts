// From a project's effective configuration to what Incus is told: pure.

import type { Config, Devices } from "../../incus/types.ts";
import { mountsRepository, REPOSITORY_DEVICE } from "../../registry/mounts.ts";
import type { Project } from "../../registry/types.ts";
import type { Owner } from "../ownership.ts";
import type { ContainerArgs, ContainerUser } from "./inputs.ts";

interface Ids {
  uid: number;
  gid: number;
}

/**
 * With `shift` on a mount, root inside can leave a setuid file in the repository that is root's on
 * the host: a way to root. The id map gives the owner's ids to the container instead, and root
 * inside stays an unprivileged id outside. A repository of root's leaves no such choice.
 */
export function usesShift({ uid }: Ids): boolean {
  return uid === 0;
}

/** The instance's config: the project's own, its environment and the id map of its owner. */
export function configOf(project: Project, owner: Ids): Config {
  const environment = Object.entries(project.env).map(([key, value]) => [
    `environment.${key}`,
    value,
  ]);
  return { ...idMap(project, owner), ...project.config, ...Object.fromEntries(environment) };
}

function idMap({ idmap }: Project, owner: Ids): Config {
  if (idmap !== undefined) return idmap === "none" ? {} : { "raw.idmap": idmap };
  if (usesShift(owner)) return {};
  return { "raw.idmap": `uid ${owner.uid} ${owner.uid}\ngid ${owner.gid} ${owner.gid}` };
}

/** The instance's devices: the repository, its mounts and ports, and any that the registry adds. */
export function devicesOf(project: Project, owner: Ids): Devices {
  const shift: Config = usesShift(owner) ? { shift: "true" } : {};
  const spelledOut = Object.values(project.devices).some((each) => mountsRepository(each, project));
  const devices: Devices = spelledOut
    ? {}
    : { [REPOSITORY_DEVICE]: { type: "disk", source: project.repo, path: project.path, ...shift } };
  for (const { device, source, path, readonly, optional } of project.mounts) {
    devices[device] = {
      type: "disk",
      source,
      path,
      ...(readonly ? { readonly: "true" } : {}),
      ...(optional ? { required: "false" } : {}),
      ...shift,
    };
  }
  for (const { device, listen, connect, protocol, address } of project.ports) {
    const host = address.includes(":") ? `[${address}]` : address;
    devices[device] = {
      type: "proxy",
      listen: `${protocol}:${host}:${listen}`,
      connect: `${protocol}:127.0.0.1:${connect}`,
    };
  }
  return { ...devices, ...project.devices };
}

/** What holds for every container of an estate. */
export interface EstateWide {
  /** A remote of the incus client's configuration; empty for the local daemon. */
  remote: string;
  owner: Owner;
  incusProject: string;
  /** Restart where a change needs it, unless the project says so itself. */
  restart: boolean;
}

/** The id that stands for an owner who cannot be known, beside a fault that keeps it from use. */
const UNKNOWN: ContainerUser = { name: "", uid: 0, gid: 0, home: "/" };

/**
 * All that a project's container is to be: what `up` makes, and what everything else compares with.
 * @param user the repository's owner; undefined beside a fault
 */
export function declaredContainer(
  { remote, owner, incusProject, restart }: EstateWide,
  project: Project,
  user: ContainerUser = UNKNOWN,
): ContainerArgs {
  return {
    remote,
    owner,
    name: project.name,
    project: incusProject,
    image: project.image,
    description: project.description ?? `repoman: ${project.repo}`,
    profiles: project.profiles,
    config: configOf(project, user),
    devices: devicesOf(project, user),
    ...runState(project),
    restart: project.restart || restart,
    ignore: project.ignore,
    ...(project.target === undefined ? {} : { target: project.target }),
    user,
    path: project.path,
  };
}

/** A disabled project keeps its container, stopped. */
function runState({ enabled, running }: Project): { running?: boolean } {
  if (!enabled) return { running: false };
  return running === undefined ? {} : { running };
}
