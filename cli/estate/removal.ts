// Taking one project out of the estate: its container first, then its entry, so that whatever was
// cut off is finished by asking for it again.

import { EXIT, Fault } from "../../host/fault.js";
import { remove as removeInstance } from "../../providers/container/create.ts";
import { RegistryFault } from "../../registry/fault.ts";
import { printable } from "../../registry/text.ts";
import type { Project } from "../../registry/types.ts";
import { lookUp, type Named } from "../../survey/instances.ts";
import { type Context, connectTo, readContext } from "../context.ts";
import { requireNames } from "../preflight.ts";
import { workspacesIn } from "../pulumi/backend.ts";
import { operate } from "../pulumi/operate.ts";
import { ensureStack, stackExists } from "../pulumi/stack.ts";
import { setOverrideAside } from "../registry/overrides.ts";
import { chooseOne } from "./choose.ts";
import { requireNotRenaming } from "./renamings.ts";

export interface Removal {
  context: Context;
  name: string;
  /** Undefined where the registry does not name it any more. */
  project: Project | undefined;
  /** Whether Pulumi's state has something of it; undefined where only Pulumi can tell. */
  inState: boolean | undefined;
  container: Named;
}

/**
 * What there is to remove; nothing is changed.
 *
 * @throws Fault (usage) for a name that means nothing here, Unreachable
 */
export async function planRemoval(
  named: string | undefined,
  stack: string | undefined,
): Promise<Removal> {
  const context = await readContext({ stack, tolerant: true });
  const { setting, registry, problems, file, config } = context;
  const declared = registry.projects.map(({ name }) => name);
  const question = "Remove which project?";
  const name = await chooseOne(named, { names: declared, question });
  const project = registry.projects.find((each) => each.name === name);
  // What is wrong with this very project goes away with it.
  const others = problems.filter((problem) => problem.project !== name);
  if (others.length > 0) throw new RegistryFault(others);
  await requireNotRenaming(setting, registry, [name]);
  const deployment = await setting.backend?.deployment(setting.project, setting.stack);
  const known = workspacesIn(deployment);
  const client = await connectTo(context);
  try {
    const instances = await client.getInstances(registry.defaults.incusProject);
    const container = lookUp(instances, name, config.stackId);
    if (!container.own) requireNames([name], [...new Set([...declared, ...known])], file);
    return { context, name, project, inState: deployment && known.includes(name), container };
  } finally {
    client.close();
  }
}

/** What goes and what stays, for whoever is to agree with it. */
export function describeRemoval({ context, name, project, container, inState }: Removal): string {
  const { file, registry } = context;
  const lines = [];
  if (container.own || inState) {
    const running = container.own?.status === "Running" ? ", which is running," : "";
    lines.push(`Goes:   the container "${name}"${running} with all that is only inside it`);
  }
  if (project) lines.push(`Goes:   its entry in ${printable(file)}`);
  if (container.other) {
    const where = `the Incus project "${registry.defaults.incusProject}"`;
    lines.push(`Stays:  the instance "${name}" in ${where}, which is not this stack's`);
  }
  return [...lines, ...staying(project)].join("\n");
}

/** Where that is which is never removed. */
export function staying(project: Project | undefined): string[] {
  if (!project) return [];
  const backup = project.backupPath;
  return [
    `Stays:  the repository ${printable(project.repo)}`,
    ...(backup === undefined ? [] : [`Stays:  its backup   ${printable(backup)}`]),
  ];
}

/**
 * Removes it.
 *
 * @returns where its overrides are now, if it had some
 * @throws Fault where Pulumi could not remove the container; then the entry is still there
 */
export async function remove(removal: Removal): Promise<{ aside?: string }> {
  const { context, name, project, container } = removal;
  const { setting, file, registry } = context;
  const mayBeInState = removal.inState ?? project !== undefined;
  if (mayBeInState && (await stackExists(setting))) {
    const { exitCode } = await operate({
      operation: "destroy",
      names: [name],
      flags: ["--skip-preview"],
      yes: true,
      aside: true,
      stack: setting.stack,
    });
    if (exitCode !== EXIT.ok) {
      throw new Fault(`the container "${name}" could not be removed, so its entry stays`, {
        remedy: `Mend what is said above, then run again: repoman remove ${name}`,
        exitCode,
      });
    }
  }
  if (container.own) await deleteLeft(context, name);
  const aside = project ? await setOverrideAside(file, name) : undefined;
  if (project) {
    const [{ editRegistry }, { removeProject }] = await Promise.all([
      import("../../registry/edit/file.ts"),
      import("../../registry/edit/edits.ts"),
    ]);
    await editRegistry(registry.file, removeProject(name), { env: setting.env });
  }
  return aside === undefined ? {} : { aside };
}

/** A container whose stack has lost its state is removed all the same: it carries the stack's mark. */
async function deleteLeft(context: Context, name: string): Promise<void> {
  const { stackId } = await ensureStack(context.setting);
  const client = await connectTo(context);
  try {
    const { incusProject } = context.registry.defaults;
    const { own } = lookUp(await client.getInstances(incusProject), name, stackId);
    if (own) await removeInstance(client, own);
  } finally {
    client.close();
  }
}
