// Whose a profile on the server is, and whether this stack may write it. Pure.

import { createHash } from "node:crypto";
import type { Config, Devices, Profile } from "../incus/types.ts";
import { type Owner, profileOwners } from "./ownership.ts";

/** What a template makes of a profile. */
export interface ProfileContent {
  description: string;
  config: Config;
  devices: Devices;
}

/** Where the last template that was applied is remembered, so that two stacks can compare. */
export const TEMPLATE = "user.repoman.template";

export function digest({ description, config, devices }: ProfileContent): string {
  const sorted = (record: object) => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const content = [
    description,
    sorted(config),
    sorted(devices).map(([name, device]) => [name, sorted(device)]),
  ];
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
}

/** Why this stack must not write the profile that is there, if so. */
export function profileConflict(
  wanted: ProfileContent & { name: string; owner: Owner },
  existing: Pick<Profile, "config">,
): string | undefined {
  const { name, owner } = wanted;
  const owners = profileOwners(existing.config);
  const shared = existing.config[TEMPLATE] === digest(wanted);
  const others = [...owners].filter(([id]) => id !== owner.id).map(([, stack]) => stack);
  if (others.length > 0 && !shared) {
    return (
      `the profile "${name}" is also managed by the stack ${others.map((o) => `"${o}"`).join(", ")}, ` +
      `from another template than that of "${owner.stack}"\n` +
      "  Make both templates the same, or give one of them another name."
    );
  }
  if (owners.size === 0) {
    return (
      `the profile "${name}" exists and repoman did not make it\n` +
      "  Rename it, or shadow the template with a copy of it in profiles.d, or have the template take its place:\n" +
      `  repoman profile install ${name} --adopt`
    );
  }
  return undefined;
}
