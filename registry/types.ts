/**
 * What the registry means once it is read, checked and resolved: plain data, in which every path is
 * absolute, every duration is in seconds and every config value is the string that Incus keeps.
 */

/** Something wrong in a file of the user's, or something to know about it. */
export interface Problem {
  /** Absolute path of the file. */
  file: string;
  /** 1-based; absent where the whole file is meant, or where it could not be read. */
  line?: number;
  /** 1-based, in UTF-16 code units as editors count them. */
  column?: number;
  /** The object and what is wrong with it; one line, control characters escaped. */
  what: string;
  /** What to do about it, as an imperative sentence. */
  remedy: string;
  /** Name of the one project that it concerns. */
  project?: string;
}

/** A directory or file of the host that the container sees, beside the repository. */
export interface Mount {
  /** Name of the Incus disk device. */
  device: string;
  /** Absolute path on the host. */
  source: string;
  /** Absolute path inside the container. */
  path: string;
  readonly: boolean;
  /** Whether the container may start without the source (`required: "false"` on the device). */
  optional: boolean;
}

/** A port of the host that leads into the container. */
export interface Port {
  /** Name of the Incus proxy device. */
  device: string;
  /** Port on the host. */
  listen: number;
  /** Port on the container's loopback. */
  connect: number;
  protocol: "tcp" | "udp";
  /** Address on the host, without brackets; loopback unless the registry says otherwise. */
  address: string;
}

/** What a mirror run may do; what is not set is left to the engine. */
export interface BackupRules {
  /** Most entries that one run may delete on the copy. */
  maxDelete?: number;
  /** The same in percent of the copy's. */
  maxDeletePercent?: number;
  /** Fewest files, in percent of the last good run's. */
  minFilesPercent?: number;
  /** Fewest bytes, in percent of the last good run's. */
  minBytesPercent?: number;
  /** Exclude patterns of rsync; never empty. */
  exclude?: string[];
}

/** The effective configuration of one container. */
export interface Project {
  name: string;
  description?: string;
  /** Absolute path on the host, under `repos_root` as text; links are the survey's to follow. */
  repo: string;
  /** Absolute path of the repository inside the container. */
  path: string;
  /** As written: `remote:alias`, a local alias or a fingerprint. */
  image: string;
  profiles: string[];
  /** Whether it is brought up; a disabled project only keeps its place in the registry. */
  enabled: boolean;
  /** Whether a backup is wanted; without `backup_root` there is no `backupPath` to go with it. */
  backup: boolean;
  /** Absolute: `<backup_root>/<repo relative to repos_root>`. */
  backupPath?: string;
  /** Seconds. */
  backupMaxAge: number;
  /** What one mirror run may do, as far as the registry says; its own word or the defaults'. */
  backupRules?: BackupRules;
  hermes: boolean;
  /** The declared run state; absent means that it is left alone. */
  running?: boolean;
  /** Whether `up` may restart the container for a change that needs it. */
  restart: boolean;
  /** Config keys, and `device:<name>`, whose drift is not shown. */
  ignore: string[];
  /** The text of `raw.idmap`, or `none`; absent where the ids of the repository's owner are mapped. */
  idmap?: string;
  /** A cluster member, or `@group`. */
  target?: string;
  ports: Port[];
  mounts: Mount[];
  /** Without the prefix `environment.`, sorted by name. */
  env: Record<string, string>;
  /** Incus config keys, never `environment.*`, sorted by name. */
  config: Record<string, string>;
  /** Any Incus devices by name, each with its `type`; not the repository, mounts and ports. */
  devices: Record<string, Record<string, string>>;
  created?: string;
  lastSync?: string;
}

/** What holds for every project that does not say otherwise. */
export interface Defaults {
  /** Absolute. */
  reposRoot: string;
  /** Absolute; absent where neither the registry nor `NFS_REPOS` names one. */
  backupRoot?: string;
  /** Seconds. */
  backupMaxAge: number;
  /** File system type that must be mounted at `backupRoot`. */
  backupFstype?: string;
  /** Mount source that must be mounted there. */
  backupSource?: string;
  /** What projects that say nothing of it leave out of their copies. */
  exclude?: string[];
  /** Absolute. */
  logdir: string;
  incusProject: string;
  defaultImage: string;
  profiles: string[];
}

export interface Registry {
  /** Absolute path of `repoman.toml`. */
  file: string;
  /** The schema that the file is written in (1, 2 or 3); the data here is always schema 3's. */
  schema: number;
  output: string;
  /** Address of the host on its LAN, or empty. */
  lanIp: string;
  defaults: Defaults;
  /** Enabled and disabled, in the order of the file. */
  projects: Project[];
  warnings: Problem[];
}

/** The person whose registry it is. */
export interface User {
  name: string;
  uid: number;
  gid: number;
  /** Absolute. */
  home: string;
}

/** A profile of the library, ready to be put on the server. */
export interface Template {
  name: string;
  description: string;
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
  /** Absolute path of the YAML file that it comes from. */
  file: string;
  source: "vendor" | "user";
  /** Whether a user's file hides one of the same name that comes with repoman. */
  shadows: boolean;
  /** Names of `${VAR}`s that repoman does not know; they stay as they are. */
  unresolved: string[];
}

/** The profiles that can be put on the server, by name. */
export interface Library extends ReadonlyMap<string, Template> {
  /** Profiles that cannot be used on this host, and why: each a fault of its own only. */
  readonly faults: ReadonlyMap<string, Problem>;
  /** What to know about a profile that is used. */
  readonly warnings: ReadonlyMap<string, readonly Problem[]>;
}
