// Renaming a project without making anything anew. The one moment at which it happens is the edit
// of the registry; before it nothing has changed, and after it every `up` carries it out, since the
// note that is written first makes the former name an alias (survey/renames.ts). Each step is done
// already when it is found done, so that running it again finishes what was cut off.

import { EXIT, Fault } from "../../host/fault.js";
import { RegistryFault } from "../../registry/fault.ts";
import { instanceName } from "../../registry/rules.ts";
import { printable, quote } from "../../registry/text.ts";
import { moveApproved } from "../../registry/trust.ts";
import type { Project } from "../../registry/types.ts";
import { isAside, lookUp } from "../../survey/instances.ts";
import { type Renaming, readRenames, renamesFile } from "../../survey/renames.ts";
import { type Context, connectTo, readContext } from "../context.ts";
import { ask, canAsk } from "../output/ask.ts";
import { requireNames } from "../preflight.ts";
import { renameOverride, requireNoOverride } from "../registry/overrides.ts";
import { chooseOne } from "./choose.ts";
import { forgetRenaming, noteRenaming, requireNotRenaming } from "./renamings.ts";

export interface RenamePlan extends Renaming {
  context: Context;
  /** The project, under whichever name the registry has it. */
  project: Project;
  /** Whether the registry has the new name already, so that only the rest is to be done. */
  carriedOut: boolean;
  /** Whether the container runs and still has its former name: Incus renames only stopped ones. */
  stops: boolean;
}

/**
 * What renaming it means; nothing is changed.
 *
 * @throws Fault (usage, conflict), Unreachable
 */
export async function planRename(
  old: string | undefined,
  fresh: string | undefined,
  stack: string | undefined,
): Promise<RenamePlan> {
  // An override that has its new name, or still its old one, is trouble that is mended here.
  const context = await readContext({ stack, tolerant: true });
  const { setting, registry, problems, file } = context;
  const names = registry.projects.map(({ name }) => name);
  const from = await chooseOne(old, { names, question: "Rename which project?" });
  const to = fresh ?? (await askNewName(from, names));
  const others = problems.filter(({ project }) => project !== from && project !== to);
  if (others.length > 0) throw new RegistryFault(others);
  const find = (name: string) => registry.projects.find((each) => each.name === name);
  const notes = await readRenames(renamesFile(setting.stack, setting.env));
  const noted = notes.some((each) => each.from === from && each.to === to);
  const carriedOut = find(from) === undefined && find(to) !== undefined && noted;
  const project = carriedOut ? find(to) : find(from);
  if (!project) {
    requireNames([from], names, file);
    throw new Error(`"${from}" is known and not found`);
  }
  if (!carriedOut) await requireFree(context, to, noted);
  const client = await connectTo(context);
  try {
    const instances = await client.getInstances(registry.defaults.incusProject);
    const { stackId } = context.config;
    const current = lookUp(instances, from, stackId).own;
    const wanted = lookUp(instances, to, stackId);
    const standing = wanted.other ?? (wanted.own !== current ? wanted.own : undefined);
    if (standing && !(carriedOut && standing === wanted.own)) {
      throw new Fault(
        `an instance "${to}" is there already, in the Incus project "${registry.defaults.incusProject}"`,
        { remedy: "Choose another name, or remove that one first.", exitCode: EXIT.conflict },
      );
    }
    requireRenamable(context, current, from);
    if (current && !carriedOut) await requireInState(context, from);
    const stops = current?.name === from && current.status === "Running";
    return { context, from, to, project, carriedOut, stops };
  } finally {
    client.close();
  }
}

async function askNewName(from: string, taken: readonly string[]): Promise<string> {
  if (!canAsk()) {
    throw new Fault(`this needs to be told the new name of "${from}"`, {
      remedy: `Such as: repoman rename ${from} NEW`,
      exitCode: EXIT.usage,
    });
  }
  return ask<string>(({ text }, io) =>
    text({
      message: `What is "${from}" to be called?`,
      validate: (value = "") =>
        taken.includes(value) ? "has a project already" : instanceName(value)?.what,
      ...io,
    }),
  );
}

/** @param begun whether this very renaming has begun before, and may have moved the overrides */
async function requireFree(context: Context, to: string, begun: boolean): Promise<void> {
  const { registry, file, setting } = context;
  const wrong = instanceName(to);
  if (wrong) {
    throw new Fault(`the name ${quote(to)} ${wrong.what}`, {
      remedy: wrong.remedy,
      exitCode: EXIT.usage,
    });
  }
  if (registry.projects.some(({ name }) => name === to)) {
    throw new Fault(`${printable(file)} has a project "${to}" already`, {
      remedy: "Choose another name.",
      exitCode: EXIT.conflict,
    });
  }
  if (!begun) await requireNoOverride(file, to);
  if (!begun) await requireNotRenaming(setting, registry, [to]);
}

type Found = ReturnType<typeof lookUp>["own"];

function requireRenamable({ registry }: Context, current: Found, from: string): void {
  if (!current) return;
  const why = isAside(current)
    ? "is being replaced"
    : current.status === "Frozen"
      ? "is frozen"
      : undefined;
  if (why === undefined) return;
  const remedy =
    why === "is frozen"
      ? `Let it run on first: incus resume --project ${registry.defaults.incusProject} ${from}`
      : `Let that end first: repoman up ${from}`;
  throw new Fault(`the container "${from}" ${why}`, { remedy, exitCode: EXIT.conflict });
}

/** A container that Pulumi has lost sight of would not be found again under another name. */
async function requireInState({ setting }: Context, from: string): Promise<void> {
  const { backend, project, stack } = setting;
  if (!backend) return;
  const { resources = [] } = (await backend.deployment(project, stack)) ?? {};
  if (resources.some(({ urn }) => urn.endsWith(`RepoContainer::${from}`))) return;
  throw new Fault(`Pulumi's state does not know the container "${from}"`, {
    remedy: `It is taken back by: repoman up ${from}`,
    exitCode: EXIT.conflict,
  });
}

/** What changes, for whoever is to agree with it. */
export function describeRename({ context, from, to, project, carriedOut, stops }: RenamePlan) {
  return [
    ...(carriedOut ? [`The registry has the new name already; this finishes the rest.`] : []),
    `Renames the project "${from}" to "${to}": entry in ${printable(context.file)}, container, record of its backups.`,
    ...(stops
      ? ["The container is stopped for that and started again; what runs in it ends."]
      : []),
    `Stays where it is: the repository ${printable(project.repo)}`,
    ...(project.backupPath === undefined
      ? []
      : [`Stays where it is: its backup   ${printable(project.backupPath)}`]),
  ].join("\n");
}

/**
 * Renames it.
 *
 * @returns one of `EXIT`
 */
export async function rename({ context, from, to, project }: RenamePlan): Promise<number> {
  const { setting, file, registry } = context;
  const [{ editRegistry }, { renameProject }, { bringUp }] = await Promise.all([
    import("../../registry/edit/file.ts"),
    import("../../registry/edit/edits.ts"),
    import("./bring-up.ts"),
  ]);
  await noteRenaming(setting, { from, to });
  await renameOverride(file, from, to);
  if (registry.projects.some(({ name }) => name === from)) {
    await editRegistry(file, renameProject(from, to), { env: setting.env });
  }
  const { repo } = project;
  const key = { env: setting.env, repo };
  await moveApproved({ ...key, project: from }, { ...key, project: to });
  const exitCode = await bringUp([to], setting.stack);
  if (exitCode === EXIT.ok) await forgetRenaming(setting, { from, to });
  return exitCode;
}
