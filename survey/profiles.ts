// The profiles on the server against the templates that they come from. Pure.

import type { Profile } from "../incus/types.ts";
import { type Owner, profileMark, profileOwners, withoutMarks } from "../providers/ownership.ts";
import { profileConflict } from "../providers/profile-claim.ts";
import type { Template } from "../registry/types.ts";

export type { Owner };

/** What of a profile repoman declares. */
export type Content = Pick<Template, "description" | "config" | "devices">;

/** One key, device or option that is not the same on both sides. */
export interface ProfileDifference {
  /** `description`, `config.limits.memory`, `devices.gpu0`, `devices.gpu0.type`. */
  property: string;
  /** Undefined where it is not there. A device of one side only is an object. */
  is: unknown;
  wanted: unknown;
}

/** Compares meaning: order and the way of writing do not count, and neither do repoman's marks. */
export function profileDifferences(is: Content, wanted: Content): ProfileDifference[] {
  const found: ProfileDifference[] = [];
  if (is.description !== wanted.description) {
    found.push({ property: "description", is: is.description, wanted: wanted.description });
  }
  found.push(...inside("config", withoutMarks(is.config), withoutMarks(wanted.config)));
  for (const name of keys(is.devices, wanted.devices)) {
    const [live, declared] = [is.devices[name], wanted.devices[name]];
    const property = `devices.${name}`;
    if (live && declared) found.push(...inside(property, live, declared));
    else found.push({ property, is: live, wanted: declared });
  }
  return found;
}

function inside(
  name: string,
  is: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): ProfileDifference[] {
  return keys(is, wanted)
    .filter((key) => is[key] !== wanted[key])
    .map((key) => ({ property: `${name}.${key}`, is: is[key], wanted: wanted[key] }));
}

function keys(...records: object[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].sort();
}

/** How a profile on the server stands to a stack. */
export interface Standing {
  /** Whether some stack manages it; else repoman did not make it. */
  managed: boolean;
  /** Whether this stack does. */
  own: boolean;
  /** The other stacks that do, by name. */
  others: string[];
  /** Names of the instances that use it, with their Incus project unless that is `default`. */
  users: string[];
}

export function standing(profile: Profile, owner: Pick<Owner, "id">): Standing {
  const owners = profileOwners(profile.config);
  return {
    managed: owners.size > 0,
    own: owners.has(owner.id),
    others: [...owners].filter(([id]) => id !== owner.id).map(([, name]) => name),
    users: (profile.used_by ?? []).flatMap((url) => {
      const found = /^\/1\.0\/instances\/([^/?]+)(?:\?project=(.*))?$/.exec(url);
      if (!found) return [];
      const [name = "", project = "default"] = found
        .slice(1)
        .map((part) => (part === undefined ? undefined : decodeURIComponent(part)));
      return project === "default" ? [name] : [`${project}/${name}`];
    }),
  };
}

/** Why this stack may not write the profile, with the remedy; nothing where it may. */
export function cannotWrite(
  template: Template,
  profile: Profile,
  owner: Owner,
): string | undefined {
  return profileConflict({ ...template, owner }, profile);
}

/** The profile's config with this stack's mark, by which its own `up` takes it over. */
export function handedTo(config: Profile["config"], owner: Owner): Profile["config"] {
  return { ...config, [profileMark(owner)]: owner.stack };
}
