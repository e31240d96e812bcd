// `repoman profile remove`: from the server and from Pulumi's care. Files are the user's, and stay.

import { EXIT, Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { parseChoice } from "../../registry/profile-choice.ts";
import { printable } from "../../registry/text.ts";
import { type Standing, standing } from "../../survey/profiles.ts";
import { connectTo } from "../context.ts";
import { journal, resultOf } from "../journal.ts";
import { consent, declined } from "../output/ask.ts";
import { warn } from "../output/say.ts";
import { operate } from "../pulumi/operate.ts";
import { readStackConfig, stackConfigFile, writeStackConfig } from "../pulumi/stack-config.ts";
import { profileTarget, profileTargets, targetFlags } from "../pulumi/targets.ts";
import { withoutProfile } from "./choice.ts";
import { liveProfile } from "./diff.ts";
import { chooseProfile, type Profiles, readProfiles } from "./library.ts";

interface Options {
  yes?: boolean;
  stack?: string;
}

export async function removeProfile(
  given: string | undefined,
  { yes, stack }: Options,
): Promise<void> {
  const began = performance.now();
  const profiles = await readProfiles(stack, true);
  const name = await chooseProfile(profiles, given, "Remove");
  const { context } = profiles;
  const { setting, config } = context;
  const client = await connectTo(context);
  try {
    const live = await liveProfile(client, name);
    if (!live) throw notThere(profiles, name);
    const found = standing(live, { id: config.stackId ?? "" });
    refuse(name, found);
    warnOfReferences(profiles, name);
    const would = `removes the profile "${name}" from the server`;
    if (!(await consent(`Remove the profile "${name}" from the server?`, { yes, would }))) {
      declined();
      return;
    }
    const exitCode = await takeAway(client, profiles, name, found, stack);
    const event = { command: "profile remove", names: [name], began, exitCode };
    await journal(setting, { ...event, result: resultOf(exitCode) });
    process.exitCode = exitCode;
    if (exitCode !== EXIT.ok) return;
    const template = profiles.all.get(name);
    const kept = template ? ` (file at ${printable(template.file)} untouched)` : "";
    process.stdout.write(
      found.others.length > 0
        ? `==> released ${name}; it stays for the stack ${found.others.join(", ")}${kept}\n`
        : `==> removed ${name} from incus${kept}\n`,
    );
  } finally {
    client.close();
  }
}

function notThere({ all }: Profiles, name: string): Fault {
  const known = all.has(name) ? "It is in the library only" : "It is not in the library either";
  return new Fault(`there is no profile ${JSON.stringify(name)} on the server`, {
    remedy: `${known}, so there may be nothing to remove: \`repoman profile list\` shows what is there.`,
  });
}

/** @throws Fault (conflict) for one that is not this stack's, or in use */
function refuse(name: string, { own, managed, others, users }: Standing): void {
  if (!own) {
    throw new Fault(
      managed
        ? `the profile "${name}" belongs to the stack ${others.map((each) => `"${each}"`).join(", ")}`
        : `the profile "${name}" is on the server, and repoman did not make it`,
      {
        remedy: managed
          ? "Remove it there, with --stack."
          : `It is not repoman's to remove: incus profile delete --project default ${name}`,
        exitCode: EXIT.conflict,
      },
    );
  }
  if (users.length > 0 && others.length === 0) {
    throw new Fault(`the profile "${name}" is used by ${users.join(", ")}`, {
      remedy:
        "Take it off `profiles` of those projects in the registry and run `repoman up` first.",
      exitCode: EXIT.conflict,
    });
  }
}

/** Whether the program would still declare it without its name in the stack's config. */
function isDeclared({ context, all }: Profiles, name: string): boolean {
  const referring = context.registry.projects.some((each) => each.profiles.includes(name));
  return all.has(name) && (referring || parseChoice(context.config.profiles) === "all");
}

function warnOfReferences({ context }: Profiles, name: string): void {
  const { projects, defaults } = context.registry;
  const referring = projects.filter((each) => each.profiles.includes(name));
  if (referring.length > 0) {
    const list = referring.map((each) => each.name).join(", ");
    warn(`the registry still names it for ${list}: \`repoman up\` would make it again for them`);
  } else if (defaults.profiles.includes(name)) {
    warn("`profiles` in [defaults] of the registry still names it");
  }
  if (parseChoice(context.config.profiles) === "all") {
    warn('repoman:profiles is "all": the next `repoman up` makes it again');
  }
}

/**
 * Through Pulumi, so that its state knows: by an `up` that no longer declares it, or, where the
 * registry still does, by destroying it alone. What the state had lost is taken away directly.
 */
async function takeAway(
  client: IncusClient,
  profiles: Profiles,
  name: string,
  { others }: Standing,
  stack: string | undefined,
): Promise<number> {
  const { setting } = profiles.context;
  const file = stackConfigFile(setting.root, setting.stack);
  const wanted = withoutProfile((await readStackConfig(file)).profiles, name);
  if (wanted !== undefined) await writeStackConfig(file, { profiles: wanted });
  const declared = isDeclared(profiles, name);
  const targets = declared ? [profileTarget(name)] : profileTargets([name]);
  const { exitCode } = await operate({
    operation: declared ? "destroy" : "up",
    names: [],
    flags: [...targetFlags(targets), "--skip-preview"],
    yes: true,
    aside: true,
    stack,
  });
  if (exitCode === EXIT.ok && others.length === 0 && (await liveProfile(client, name))) {
    await client.deleteProfile(name);
  }
  return exitCode;
}
