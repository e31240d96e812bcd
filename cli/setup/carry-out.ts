// Set-up itself: find out, ask what is missing, show what would change, change it.

import { mkdir } from "node:fs/promises";
import { EXIT, Fault } from "../../host/fault.js";
import { lookAt, silenceFault } from "../../host/look.ts";
import { expandHome, paths, withTilde } from "../../host/paths.js";
import { editRegistry } from "../../registry/edit/file.ts";
import { readEstate } from "../../registry/estate.ts";
import { RegistryFault } from "../../registry/fault.ts";
import { VENDOR_PROFILES } from "../../registry/profiles.ts";
import { BUILT_IN } from "../../registry/schema.ts";
import { printable, quote } from "../../registry/text.ts";
import { ensureSubIds, lentFile } from "../../tools/incus/subids.js";
import { note } from "../output/say.ts";
import { ensureStack } from "../pulumi/stack.ts";
import { withOldKept } from "../registry/keep-old.ts";
import type { Setting } from "../setting.ts";
import { type Detected, type DiskFound, detect, lookAtBackupRoot, rootsOf } from "./detect.ts";
import { planRegistry, type RegistryPlan, type Settings } from "./plan.ts";

export interface SetupOptions {
  lanInterface: string | undefined;
  reset: boolean;
  /** Whether somebody is asked for what cannot be found out. */
  guided: boolean;
}

export interface SetupPlan {
  detected: Detected;
  registry: RegistryPlan;
  /** Absolute, and whether it is to be made. */
  reposRoot: { path: string; missing: boolean };
  disk: (DiskFound & { path: string }) | undefined;
  /** Every change, in words; empty where all is as it should be. */
  changes: string[];
}

/** @throws Fault; nothing is changed */
export async function planSetup(setting: Setting, options: SetupOptions): Promise<SetupPlan> {
  const { lanInterface, reset, guided } = options;
  const detected = await detect(setting, lanInterface);
  const { text, file, user } = detected;
  const { env } = setting;
  const whole = (path: string) => expandHome(path, user.home);
  if (text !== undefined && !reset) await requireSound(detected);
  const settings = await settle(detected, guided);
  const disk =
    settings.backupRoot === undefined
      ? undefined
      : {
          path: whole(settings.backupRoot),
          ...(await lookAtBackupRoot(whole(settings.backupRoot))),
        };
  const registry = planRegistry(text, { ...settings, ...identity(disk) }, reset);
  const planned = { file, text: registry.text, env, vendorDir: VENDOR_PROFILES };
  const { problems } = await readEstate(planned);
  if (problems.length > 0) throw new RegistryFault(problems);

  const path = whole(settings.reposRoot);
  const missing = !(await isFolder(path));
  const changes = [
    ...(detected.idsLent ? [] : [`/etc/subuid, /etc/subgid: your ids are lent to containers`]),
    ...(missing ? [`${printable(path)}: the folder is made`] : []),
    ...registry.changes.map((change) => `${printable(file)}: ${change}`),
    ...(detected.stack.exists ? [] : [`the stack "${detected.stack.name}" is made`]),
  ];
  return { detected, registry, reposRoot: { path, missing }, disk, changes };
}

async function requireSound({ file, text, setting }: Detected): Promise<void> {
  if (text === undefined) return;
  const read = { file, text, env: setting.env, vendorDir: VENDOR_PROFILES };
  const { problems } = await readEstate(read);
  if (problems.length > 0) throw new RegistryFault(problems);
}

/** What the registry is to say: what was found, and what was answered. */
async function settle(detected: Detected, guided: boolean): Promise<Settings> {
  const { text, lan, user, setting } = detected;
  const { reposRoot, backupRoot } = rootsOf(detected);
  const found: Settings = {
    lanIp: lan?.address,
    reposRoot:
      setting.env.LOCAL_REPOS && text === undefined ? reposRoot : withTilde(reposRoot, user.home),
    backupRoot: backupRoot || undefined,
    defaultImage: BUILT_IN.default_image,
  };
  if (!guided || text !== undefined) return found;
  const { setupForm } = await import("./form.ts");
  return setupForm(detected, found);
}

/** File systems whose source is the same after each boot; a disk's device is not. */
const STEADY = /^(nfs\d?|cifs|smb3|zfs|ceph|9p)$/;

function identity(disk: DiskFound | undefined): Partial<Settings> {
  if (!disk?.ok || !STEADY.test(disk.fstype)) return {};
  return { backupFstype: disk.fstype, backupSource: disk.source };
}

/** @throws Fault (conflict) for something else in its place */
async function isFolder(path: string): Promise<boolean> {
  const seen = await lookAt(path);
  if (seen.ok && seen.type === "directory") return true;
  if ("code" in seen && seen.code === "ENOENT") return false;
  if (seen.ok) {
    throw new Fault(`repos_root ${quote(path)} is not a directory`, {
      remedy: "Choose another, or move it away.",
      exitCode: EXIT.conflict,
    });
  }
  if ("silent" in seen) throw silenceFault(`repos_root ${quote(path)}`, seen);
  throw new Fault(`repos_root ${quote(path)} cannot be looked at (${seen.code})`, {
    remedy: "Make it readable for you, or choose another.",
    exitCode: EXIT.environment,
  });
}

/** Makes it so, in an order in which each step can be cut off and done again. */
export async function carryOut({ detected, registry, reposRoot }: SetupPlan): Promise<void> {
  const { setting, file, text, user, idsLent } = detected;
  if (!idsLent) {
    const record = lentFile(paths(setting.env));
    await ensureSubIds({ uid: user.uid, gid: user.gid, record, progress: { step: note } });
  }
  if (reposRoot.missing) await mkdir(reposRoot.path, { recursive: true });
  if (registry.changes.length > 0) {
    const write = () =>
      editRegistry(file, () => registry.text, {
        env: setting.env,
        seen: text ?? "",
        create: true,
      });
    if (registry.keepsAs === undefined) await write();
    else await withOldKept(file, registry.keepsAs, write);
  }
  await ensureStack(setting);
}
