// What the commands about backups begin with: the copies that the registry asks for.

import { EXIT, Fault } from "../../host/fault.js";
import type { Registry } from "../../registry/types.ts";
import { type BackupSpec, hostSpec } from "../../rsync/index.ts";
import { declaredBackups } from "../../survey/backup.ts";
import { note } from "../output/say.ts";
import { readRegistry, requireNames } from "../preflight.ts";
import { readStackConfig, stackConfigFile } from "../pulumi/stack-config.ts";
import { findSetting, type Setting } from "../setting.ts";

export interface Copies {
  setting: Setting;
  registry: Registry;
  /** The mark of the stack; empty where none was ever made. */
  stackId: string;
  /** In the order of the registry. */
  specs: BackupSpec[];
}

/**
 * The copies of the projects that were named, or of all that are enabled.
 *
 * @param options.make makes the stack where there is none, for what writes to the disk: the disk's
 *   marker names it
 * @param options.disabled takes those of disabled projects too, where none was named
 * @param options.mayBeNone does not tell that there are none
 * @throws {Fault} usage: an unknown name, or a project for which the registry asks for no backup
 * @throws RegistryFault, RegistryMissing
 */
export async function readCopies(
  names: readonly string[],
  {
    stack,
    make = false,
    disabled = false,
    mayBeNone = false,
  }: {
    stack?: string | undefined;
    make?: boolean;
    disabled?: boolean;
    mayBeNone?: boolean;
  },
): Promise<Copies> {
  const setting = findSetting({ stack });
  const config = await readStackConfig(stackConfigFile(setting.root, setting.stack));
  const registry = await readRegistry(setting, config);
  const { projects, file } = registry;
  requireNames(
    names,
    projects.map(({ name }) => name),
    file,
  );
  const declared = await declaredBackups(registry, setting.env);
  const without = names.filter((name) => !declared.has(name));
  if (without.length > 0) {
    throw new Fault(`${without.join(", ")}: the registry asks for no backup`, {
      remedy: "Set backup = true there, and backup_root in [defaults].",
      exitCode: EXIT.usage,
    });
  }
  const chosen = projects.flatMap(({ name, enabled }) =>
    (names.length > 0 ? names.includes(name) : enabled || disabled)
      ? (declared.get(name) ?? [])
      : [],
  );
  const { ensureStack, knownId } = await import("../pulumi/stack.ts");
  const stackId = make
    ? (await ensureStack(setting)).stackId
    : ((await knownId(setting, config.stackId)) ?? "");
  if (chosen.length === 0 && !mayBeNone) note("The registry asks for no backup.");
  return {
    setting,
    registry,
    stackId,
    specs: chosen.map((backup) => hostSpec(backup, stackId, setting.env)),
  };
}
