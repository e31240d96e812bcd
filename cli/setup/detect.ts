// What set-up finds on this host. Nothing is changed here.

import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { exists } from "../../host/files.js";
import { expandHome } from "../../host/paths.js";
import { connect } from "../../incus/client.ts";
import { readEstate } from "../../registry/estate.ts";
import { VENDOR_PROFILES } from "../../registry/profiles.ts";
import { BUILT_IN } from "../../registry/schema.ts";
import type { Registry } from "../../registry/types.ts";
import { inspectDisk } from "../../rsync/disk.ts";
import { subIdsAreSet } from "../../tools/incus/subids.js";
import { registryFile } from "../preflight.ts";
import { stackExists } from "../pulumi/stack.ts";
import { readStackConfig, stackConfigFile } from "../pulumi/stack-config.ts";
import type { Setting } from "../setting.ts";
import { type LanAddress, lanAddress } from "./lan.ts";

/** How long the backup disk may take to answer; milliseconds. */
const ANSWER_MS = 10_000;

export interface Detected {
  setting: Setting;
  user: { name: string; uid: number; gid: number; home: string };
  incus: { place: string; version: string };
  lan: LanAddress | undefined;
  /** Whether /etc/subuid and /etc/subgid lend the user's ids to containers. */
  idsLent: boolean;
  /** Absolute path of the registry. */
  file: string;
  /** Its text; undefined where there is none yet. */
  text: string | undefined;
  /** As it is read now; undefined where there is none yet. */
  registry: Registry | undefined;
  stack: { name: string; exists: boolean };
}

/**
 * @throws Unreachable, Forbidden: Faults (environment) of the server
 */
export async function detect(
  setting: Setting,
  lanInterface: string | undefined,
): Promise<Detected> {
  const { env } = setting;
  const config = await readStackConfig(stackConfigFile(setting.root, setting.stack));
  const client = await connect({ remote: config.remote, env });
  const incus = { place: client.place, version: client.server.environment.server_version };
  client.close();
  const file = registryFile(setting, config);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const registry =
    text === undefined
      ? undefined
      : (await readEstate({ file, text, env, vendorDir: VENDOR_PROFILES })).registry;
  const { username, uid, gid, homedir } = userInfo();
  const stack = { name: setting.stack, exists: await isMade(setting, config.stackId) };
  return {
    setting,
    user: { name: env.USER || username, uid, gid, home: env.HOME || homedir },
    incus,
    lan: await lanAddress(lanInterface, registry?.lanIp),
    idsLent: (config.remote ?? "local") !== "local" || uid === 0 || subIdsAreSet({ uid, gid }),
    file,
    text,
    registry,
    stack,
  };
}

async function isMade(setting: Setting, stackId: string | undefined): Promise<boolean> {
  return (
    stackId !== undefined &&
    (await exists(join(setting.stackDir, "id"))) &&
    (await stackExists(setting))
  );
}

/** What is mounted at a backup root, or why nothing can be said of it. */
export type DiskFound =
  | { ok: true; fstype: string; source: string; mountPoint: string }
  | { ok: false; missing: boolean; reason: string; remedy: string };

/** Looks at it, which wakes an automount, and never waits long. */
export async function lookAtBackupRoot(path: string): Promise<DiskFound> {
  const found = await inspectDisk(path, ANSWER_MS, { fresh: true });
  if (!found.ok) return { ...found, missing: found.missing ?? false };
  const { fstype, source, mountPoint } = found.mount;
  return { ok: true, fstype, source, mountPoint };
}

/** Where the repositories and their copies are, as far as something says so already. */
export function rootsOf({ text, registry, user, setting }: Detected) {
  const { LOCAL_REPOS, NFS_REPOS } = setting.env;
  const whole = (path: string) => expandHome(path, user.home);
  return {
    reposRoot: registry?.defaults.reposRoot ?? whole(LOCAL_REPOS || BUILT_IN.repos_root),
    backupRoot: text === undefined ? NFS_REPOS && whole(NFS_REPOS) : registry?.defaults.backupRoot,
  };
}
