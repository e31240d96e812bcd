// `repoman profile diff`: the template against the server, or the user's file against the one that
// it hides. Meaning is compared, not the way of writing it.

import { EXIT, Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { ifThere } from "../../incus/errors.ts";
import type { Profile } from "../../incus/types.ts";
import { printable } from "../../registry/text.ts";
import { type ProfileDifference, profileDifferences } from "../../survey/profiles.ts";
import { connectTo } from "../context.ts";
import {
  chooseProfile,
  type Profiles,
  readProfiles,
  readVendor,
  requireTemplate,
  requireUsable,
} from "./library.ts";
import { asYaml, differenceLines } from "./show.ts";

interface Options {
  vendor?: boolean;
  json?: boolean;
  stack?: string;
}

export async function diffProfile(given: string | undefined, options: Options): Promise<void> {
  const profiles = await readProfiles(options.stack);
  const name = await chooseProfile(profiles, given, "Compare");
  if (options.vendor) return diffVendor(profiles, name, options);
  const template = requireUsable(profiles, name);
  const client = await connectTo(profiles.context);
  let live: Profile | undefined;
  try {
    live = await liveProfile(client, name);
  } finally {
    client.close();
  }
  if (!live) {
    process.exitCode = EXIT.failed;
    if (options.json) return tell(name, null, undefined);
    process.stdout.write(`not installed; would install ${name}:\n${asYaml(template)}`);
    return;
  }
  const differences = profileDifferences(live, template);
  if (options.json) return tell(name, differences, true);
  say(differences, `${name}: the server has what ${printable(template.file)} says`, [
    `${name}: from what the server has to what ${printable(template.file)} says:`,
  ]);
}

/** @returns nothing where the server has none */
export async function liveProfile(client: IncusClient, name: string): Promise<Profile | undefined> {
  return (await ifThere(client.getProfile(name)))?.value;
}

async function diffVendor(profiles: Profiles, name: string, { json }: Options): Promise<void> {
  const own = requireTemplate(profiles, name);
  const vendor = (await readVendor(profiles)).get(name);
  if (!vendor || own.source !== "user") {
    const what = vendor
      ? `no file of yours shadows the profile "${name}"`
      : `"${name}" is yours alone`;
    throw new Fault(`${what}, so there is nothing to compare`, {
      remedy: vendor
        ? `\`repoman profile edit ${name}\` makes a copy in ${profiles.userDir}.`
        : "repoman comes with no profile of that name.",
      exitCode: EXIT.environment,
    });
  }
  const differences = profileDifferences(vendor, own);
  if (json) return tell(name, differences, undefined);
  say(differences, `${name}: your file means the same as the one that comes with repoman`, [
    `${name}: from the one that comes with repoman to ${printable(own.file)}:`,
  ]);
}

function say(differences: ProfileDifference[], same: string, head: string[]): void {
  const lines = differences.length === 0 ? [same] : [...head, ...differenceLines(differences)];
  process.stdout.write(`${lines.join("\n")}\n`);
  if (differences.length > 0) process.exitCode = EXIT.failed;
}

function tell(name: string, differences: ProfileDifference[] | null, installed?: boolean): void {
  const list = differences?.map(({ property, is, wanted }) => ({
    property,
    from: is ?? null,
    to: wanted ?? null,
  }));
  const there = installed ?? (differences === null ? false : undefined);
  const result = {
    name,
    ...(there === undefined ? {} : { installed: there }),
    differences: list ?? null,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (differences === null || differences.length > 0) process.exitCode = EXIT.failed;
}
