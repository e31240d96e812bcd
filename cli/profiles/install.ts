// `repoman profile install`: puts profiles on the server now, and into the care of Pulumi: their
// names go into the stack's config, and an `up` of just these makes them.

import { EXIT, Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { printable, quote } from "../../registry/text.ts";
import type { Template } from "../../registry/types.ts";
import {
  cannotWrite,
  handedTo,
  type Owner,
  profileDifferences,
  standing,
} from "../../survey/profiles.ts";
import { connectTo } from "../context.ts";
import { journal, resultOf } from "../journal.ts";
import { ask, canAsk, consent, declined } from "../output/ask.ts";
import { note, warn } from "../output/say.ts";
import { operate } from "../pulumi/operate.ts";
import { ensureStack, knownId } from "../pulumi/stack.ts";
import { readStackConfig, stackConfigFile, writeStackConfig } from "../pulumi/stack-config.ts";
import { profileTargets, targetFlags } from "../pulumi/targets.ts";
import { withProfiles } from "./choice.ts";
import { liveProfile } from "./diff.ts";
import { type Profiles, readProfiles, requireUsable, unresolvable } from "./library.ts";
import { differenceLines } from "./show.ts";

interface Options {
  all?: boolean;
  adopt?: boolean;
  yes?: boolean;
  stack?: string;
}

export async function installProfiles(names: string[], options: Options): Promise<void> {
  const began = performance.now();
  const profiles = await readProfiles(options.stack);
  const { chosen, left } = await choose(profiles, names, options);
  const { setting } = profiles.context;
  if (chosen.length > 0) {
    const client = await connectTo(profiles.context);
    try {
      const id = (await knownId(setting, profiles.context.config.stackId)) ?? "";
      const owner = { id, stack: setting.stack };
      const foreign = await clearTheWay(client, chosen, owner, options);
      if (!foreign) {
        declined();
        return;
      }
      const { stackId } = await ensureStack(setting);
      for (const name of foreign) await handOver(client, name, { ...owner, id: stackId });
    } finally {
      client.close();
    }
    const file = stackConfigFile(setting.root, setting.stack);
    const list = chosen.map(({ name }) => name);
    const wanted = withProfiles((await readStackConfig(file)).profiles, list);
    if (wanted !== undefined) await writeStackConfig(file, { profiles: wanted });
    const flags = [...targetFlags(profileTargets(list)), "--skip-preview"];
    const { exitCode } = await operate({
      operation: "up",
      names: [],
      flags,
      yes: true,
      aside: true,
      stack: options.stack,
    });
    const event = { command: "profile install", names: list, began, exitCode };
    await journal(setting, { ...event, result: resultOf(exitCode) });
    process.exitCode = exitCode;
    if (exitCode !== EXIT.ok) {
      note(`repoman:profiles names ${list.join(", ")}; the next \`repoman up\` tries again.`);
      return;
    }
    for (const { name, source } of chosen) {
      process.stdout.write(`==> installed ${name} (source: ${source})\n`);
    }
  }
  if (left.length > 0) throw unresolvable(profiles, left[0] ?? "");
}

/** What is to be installed, and what of `--all` cannot be on this host. */
async function choose(
  profiles: Profiles,
  names: string[],
  { all }: Options,
): Promise<{ chosen: Template[]; left: string[] }> {
  if (all && names.length > 0) {
    throw new Fault("--all and names are two ways to say it", {
      remedy: "Use one of them.",
      exitCode: EXIT.usage,
    });
  }
  if (all) {
    const left = [...profiles.all.keys()].filter((name) => !profiles.usable.has(name));
    for (const name of left) warn(unresolvable(profiles, name).message);
    return { chosen: [...profiles.usable.values()], left };
  }
  const wanted = names.length > 0 ? names : await askWhich(profiles);
  return { chosen: [...new Set(wanted)].map((name) => requireUsable(profiles, name)), left: [] };
}

async function askWhich({ usable }: Profiles): Promise<string[]> {
  if (!canAsk()) {
    throw new Fault("no profile was named", {
      remedy: `Name some, or add --all. There are: ${[...usable.keys()].join(", ")}.`,
      exitCode: EXIT.usage,
    });
  }
  return ask<string[]>(({ multiselect }, io) =>
    multiselect({
      message: "Which profiles?",
      options: [...usable.values()].map(({ name, description }) => ({
        value: name,
        label: name,
        hint: printable(description),
      })),
      ...io,
    }),
  );
}

/**
 * Sees to it that every profile can be written, and shows what would be lost in one that is there.
 *
 * @returns the names of those that are to be handed over; undefined where that is not wanted
 * @throws Fault (conflict) for what is another's, before anything is changed
 */
async function clearTheWay(
  client: IncusClient,
  chosen: Template[],
  owner: Owner,
  { adopt, yes }: Options,
): Promise<string[] | undefined> {
  const foreign: string[] = [];
  for (const template of chosen) {
    const { name } = template;
    const live = await liveProfile(client, name);
    if (!live) continue;
    const differences = profileDifferences(live, template);
    if (differences.length > 0) {
      note(`The profile "${name}" is on the server, and would change:`);
      for (const line of differenceLines(differences)) note(line);
    }
    const { managed } = standing(live, owner);
    if (!managed && adopt) foreign.push(name);
    else {
      const reason = cannotWrite(template, live, owner);
      if (reason) {
        const [what = "", ...remedy] = reason.split("\n").map((line) => line.trim());
        throw new Fault(what, { remedy: remedy.join("\n"), exitCode: EXIT.conflict });
      }
    }
  }
  if (foreign.length === 0) return [];
  const list = foreign.map(quote).join(", ");
  const would = `replaces ${list}, which repoman did not make`;
  if (!(await consent(`Replace ${list} by what the library says?`, { yes, would })))
    return undefined;
  return foreign;
}

async function handOver(client: IncusClient, name: string, owner: Owner): Promise<void> {
  await client.updateProfile(name, (current) => ({
    ...current,
    config: handedTo(current.config, owner),
  }));
}
