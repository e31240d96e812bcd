import type { Config, Devices } from "../../incus/types.ts";
import type { Identified } from "../engine.ts";

/** The person inside: the owner of the repository on the host, with the same ids. */
export interface ContainerUser {
  name: string;
  uid: number;
  gid: number;
  /** The home directory on the host, and inside. */
  home: string;
}

/** What the registry and the host say that a container should be. */
export interface ContainerArgs extends Identified {
  /** A remote of the incus client's configuration; empty for the local daemon. */
  remote: string;
  /** The Incus project. */
  project: string;
  /** As the incus client takes it: `remote:alias`, a local alias, a fingerprint. */
  image: string;
  description: string;
  /** In the order in which they apply. */
  profiles: string[];
  /** All config keys but the server's own and repoman's marks. */
  config: Config;
  devices: Devices;
  /** The run state to keep; left alone when it is not given. */
  running?: boolean;
  /** Whether a running container may be restarted where a change needs it. */
  restart: boolean;
  /** Config keys, and devices as `device:<name>`, that are not repoman's business. */
  ignore: string[];
  /** A cluster member or `@group`, for a new instance. */
  target?: string;
  user: ContainerUser;
  /** The repository, inside. */
  path: string;
}

/** The inputs as they are kept in state. */
export interface ContainerInputs extends ContainerArgs {
  /** False for a container that was not finished: not started yet, or its user not made. */
  ready: boolean;
}

export interface ContainerState extends ContainerInputs {
  /** `volatile.uuid`: tells this instance from another of the same name. */
  uuid: string;
  /** `Running`, `Stopped`, … */
  state: string;
  /** The first global address, null without one. */
  ipv4: string | null;
}
