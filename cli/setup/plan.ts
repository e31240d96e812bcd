// What set-up would change, as a value: the registry's text before and after, and each change in
// words. Pure; what was found and what was answered comes in.

import { parse } from "smol-toml";
import { migrateText, newRegistry, setTable } from "../../registry/edit/edits.ts";
import { migrate } from "../../registry/migrate.ts";
import { BUILT_IN, type RegistryFile, registrySchema } from "../../registry/schema.ts";
import { printable } from "../../registry/text.ts";

/** What the registry is to say of this host; undefined is not written. */
export interface Settings {
  lanIp: string | undefined;
  /** As it is to be written: with `~` where it was given so. */
  reposRoot: string;
  backupRoot: string | undefined;
  defaultImage: string;
  /** Of a file system whose source does not change from boot to boot. */
  backupFstype?: string | undefined;
  backupSource?: string | undefined;
}

export interface RegistryPlan {
  text: string;
  /** In words, for people; empty where the file stays as it is. */
  changes: string[];
  /** What the old file is kept as, beside the new one, where more than a value changes. */
  keepsAs?: `schema-${number}` | "before-reset";
}

/**
 * @param before the file's text; undefined where there is none
 * @param settings
 * @param reset whether the settings are written anew; projects never are
 * @throws Fault where the text is no TOML
 */
export function planRegistry(
  before: string | undefined,
  settings: Settings,
  reset: boolean,
): RegistryPlan {
  if (before === undefined) {
    const text = newRegistry(newFile(settings));
    return { text, changes: [`it is made, with ${summary(settings)}`] };
  }
  const { schema } = migrate(parse(before));
  const migrated = migrateText(before);
  const changes: string[] = [];
  if (migrated !== before) changes.push(`schema ${schema} becomes 3`);
  const edited = reset ? resetTables(migrated, settings) : withAddress(migrated, settings);
  changes.push(...differences(migrated, edited));
  const plan = { text: edited, changes };
  if (migrated !== before) return { ...plan, keepsAs: `schema-${schema}` };
  return reset ? { ...plan, keepsAs: "before-reset" } : plan;
}

function newFile(settings: Settings): RegistryFile {
  return {
    repoman: { schema: 3 },
    host: { lan_ip: settings.lanIp ?? "" },
    defaults: defaultsOf(settings),
  };
}

function defaultsOf(settings: Settings) {
  const { reposRoot, backupRoot, defaultImage, backupFstype, backupSource } = settings;
  return {
    repos_root: reposRoot,
    ...(backupRoot === undefined ? {} : { backup_root: backupRoot }),
    ...(backupFstype === undefined ? {} : { backup_fstype: backupFstype }),
    ...(backupSource === undefined ? {} : { backup_source: backupSource }),
    incus_project: BUILT_IN.incus_project as string,
    default_image: defaultImage,
    profiles: [...BUILT_IN.profiles],
  };
}

function summary({ reposRoot, backupRoot, lanIp }: Settings): string {
  return [
    `repos_root ${printable(reposRoot)}`,
    backupRoot === undefined ? "no backup_root" : `backup_root ${printable(backupRoot)}`,
    lanIp ? `lan_ip ${lanIp}` : "no lan_ip",
  ].join(", ");
}

/** What cannot be found out keeps the value that it has. */
function withAddress(text: string, { lanIp }: Settings): string {
  const known = table(parse(text), "host").lan_ip;
  if (lanIp === undefined || known === lanIp) return text;
  return setTable("host", { lan_ip: lanIp })(text);
}

/**
 * The Incus project stays, and the image of projects that name none: with another one, every
 * container would be made anew.
 */
function resetTables(text: string, settings: Settings): string {
  const data = parse(text);
  const old = table(data, "defaults");
  const hasProjects = Array.isArray(data.project) && data.project.length > 0;
  const kept = hasProjects ? old.default_image : undefined;
  const values = {
    repoman: { schema: 3 },
    host: { lan_ip: settings.lanIp ?? "" },
    defaults: {
      ...defaultsOf(settings),
      incus_project: old.incus_project ?? BUILT_IN.incus_project,
      ...(kept === undefined ? {} : { default_image: kept }),
    },
  };
  return (["repoman", "host", "defaults"] as const).reduce((now, name) => {
    const keys = Object.keys(registrySchema.shape[name].unwrap().shape);
    const set = table(data, name);
    const present = keys.filter((key) => set[key] !== undefined);
    const gone = Object.fromEntries(present.map((key) => [key, undefined]));
    return setTable(name, { ...gone, ...values[name] })(now);
  }, text);
}

function differences(before: string, after: string): string[] {
  if (before === after) return [];
  const [old, now] = [parse(before), parse(after)];
  return (["repoman", "host", "defaults"] as const).flatMap((name) => {
    const [was, is] = [table(old, name), table(now, name)];
    const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])];
    return keys
      .filter((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]))
      .map((key) => `${key}: ${shown(was[key])} → ${shown(is[key])}`);
  });
}

function shown(value: unknown): string {
  return value === undefined ? "not set" : printable(JSON.stringify(value));
}

function table(data: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = data[name];
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
