/**
 * What the Incus REST API carries, with the server's own field names.
 * Only fields that repoman reads or writes are named; others pass through untouched.
 */

/** Keys and values of an object's `config`; the server keeps every value as a string. */
export type Config = Record<string, string>;
/** Device name to device options, `type` among them. */
export type Devices = Record<string, Record<string, string>>;

/** One object and the ETag that its next PUT must carry. */
export interface Versioned<T> {
  value: T;
  etag: string;
}

export interface Server {
  api_extensions: string[];
  api_version: string;
  /** `trusted` or `untrusted` */
  auth: string;
  auth_user_name?: string;
  /** `unix`, `tls`, … */
  auth_user_method?: string;
  /** Only the keys `user.ui.*` for a restricted client */
  config?: Config;
  environment: ServerEnvironment;
}

export interface ServerEnvironment {
  addresses: string[];
  architectures: string[];
  certificate: string;
  certificate_fingerprint: string;
  driver: string;
  firewall: string;
  kernel_features?: Record<string, string>;
  kernel_version: string;
  os_name: string;
  os_version: string;
  server: string;
  server_clustered: boolean;
  server_name: string;
  server_pid: number;
  server_version: string;
  storage: string;
  storage_supported_drivers?: { Name: string; Version: string; Remote: boolean }[];
}

/** The fields of a project that PUT replaces. */
export interface ProjectPut {
  description: string;
  config: Config;
}

export interface Project extends ProjectPut {
  name: string;
  /** API paths of what uses it */
  used_by?: string[];
}

/** The fields of a profile that PUT replaces. */
export interface ProfilePut {
  description: string;
  config: Config;
  devices: Devices;
}

export interface Profile extends ProfilePut {
  name: string;
  /** API paths of the instances that use it */
  used_by?: string[];
  project?: string;
}

/** The fields of an instance that PUT replaces. */
export interface InstancePut {
  architecture: string;
  config: Config;
  devices: Devices;
  ephemeral: boolean;
  profiles: string[];
  stateful: boolean;
  description: string;
}

export interface Instance extends InstancePut {
  name: string;
  /** `Running`, `Stopped`, `Frozen`, `Error`, … */
  status: string;
  /** 102 stopped, 103 running, 110 frozen, 112 error */
  status_code: number;
  /** `container` or `virtual-machine` */
  type: string;
  /** RFC 3339 */
  created_at: string;
  last_used_at: string;
  /** The cluster member, or `none` */
  location: string;
  project: string;
  expanded_config?: Config;
  expanded_devices?: Devices;
  /** Only with recursion 2; null when it cannot be had */
  state?: InstanceState | null;
}

export interface InstanceState {
  status: string;
  status_code: number;
  /** Host process id of the init process, 0 when stopped */
  pid: number;
  processes: number;
  /** Nanoseconds */
  cpu: { usage: number };
  /** Bytes */
  memory: { usage: number; usage_peak: number; total: number };
  /** Bytes, by disk device */
  disk: Record<string, { usage: number; total: number }> | null;
  network: Record<string, InstanceNetwork> | null;
}

export interface InstanceNetwork {
  addresses: { family: string; address: string; netmask: string; scope: string }[];
  hwaddr: string;
  host_name: string;
  state: string;
  type: string;
}

/** Where a new instance comes from; `imageSource()` makes it from a name. */
export interface InstanceSource {
  type: "image" | "copy" | "migration" | "none";
  alias?: string;
  fingerprint?: string;
  server?: string;
  protocol?: string;
  mode?: string;
  /** PEM of the image server, when it is not signed by a public authority */
  certificate?: string;
  /** For a copy: the instance or `instance/snapshot` */
  source?: string;
  project?: string;
}

/** The body of `POST /1.0/instances`. */
export interface InstancesPost extends Partial<InstancePut> {
  name: string;
  source: InstanceSource;
  type?: "container" | "virtual-machine";
  /** Start it in the same operation */
  start?: boolean;
}

export type InstanceAction = "start" | "stop" | "restart" | "freeze" | "unfreeze";

export interface InstanceStatePut {
  action: InstanceAction;
  /** Kill instead of asking the instance to shut down */
  force?: boolean;
  /** Seconds that a clean stop may take; 30 unless said */
  timeout?: number;
}

export interface Network {
  name: string;
  description: string;
  /** `bridge`, `physical`, … */
  type: string;
  /** False for an interface of the host that Incus only found */
  managed: boolean;
  config: Config;
  status?: string;
  used_by?: string[];
}

export interface NetworkLease {
  hostname: string;
  hwaddr: string;
  address: string;
  /** `dynamic`, `static`, `gateway` */
  type: string;
  location: string;
  project?: string;
}

export interface StoragePool {
  name: string;
  driver: string;
  description: string;
  status: string;
  config: Config;
  used_by?: string[];
}

export interface Image {
  fingerprint: string;
  aliases: { name: string; description?: string }[];
  architecture: string;
  type: string;
  properties: Record<string, string>;
  size: number;
  public: boolean;
  cached?: boolean;
  /** Where a cached one came from, and is kept fresh from */
  update_source?: { alias: string; server: string; protocol: string };
  uploaded_at: string;
}

export interface Operation {
  id: string;
  /** `task`, `websocket` or `token` */
  class: string;
  description: string;
  created_at: string;
  updated_at: string;
  status: string;
  /** 103 running, 105 pending, 200 success, 400 failure, 401 cancelled */
  status_code: number;
  /** Kind (`instances`, `images`, …) to API paths */
  resources: Record<string, string[]> | null;
  metadata: Record<string, unknown> | null;
  may_cancel: boolean;
  err: string;
  location: string;
}

/** What an exec gave back. */
export interface ExecResult {
  /** 128 + n when signal n ended the command; 127 when the command is not there */
  exitCode: number;
  /** Decoded as UTF-8 */
  stdout: string;
  stderr: string;
  /** The same, byte for byte */
  stdoutBytes: Buffer;
  stderrBytes: Buffer;
  /** Whether a stream was longer than `maxBytes`, and cut off there */
  truncated: boolean;
}
