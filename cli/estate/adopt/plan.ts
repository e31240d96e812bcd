// What an adoption comes to, worked out and proved before anything is changed: the entry, read back
// as the registry reads it, has to describe the very container that is there.

import { EXIT, Fault } from "../../../host/fault.js";
import type { IncusClient } from "../../../incus/client.ts";
import type { Instance } from "../../../incus/types.ts";
import { declaredContainer } from "../../../providers/container/declared.ts";
import { type Difference, differences } from "../../../providers/container/differences.ts";
import type { ContainerInputs, ContainerUser } from "../../../providers/container/inputs.ts";
import { inputsFrom } from "../../../providers/container/live.ts";
import { readyMark } from "../../../providers/container/user.ts";
import { MARK, marks, type Owner } from "../../../providers/ownership.ts";
import { addProject } from "../../../registry/edit/edits.ts";
import { readRegistry } from "../../../registry/load.ts";
import type { ProjectEntry } from "../../../registry/project-schema.ts";
import { type Translated, translate } from "../../../survey/adoption.ts";
import { lookAtHost, projectFacts, templatesOf } from "../../../survey/survey.ts";
import type { Context } from "../../context.ts";
import { imageOf, ownerOf, type PlanOptions, repositoryOf } from "./facts.ts";
import { judgeInstance, requireMovable, requireProfiles } from "./requirements.ts";

/** One instance that is to become a project's container. */
export interface Adoption {
  instance: Instance;
  /** Whether it has to be moved to the estate's Incus project, for which it is stopped. */
  moves: boolean;
  /** What is to be written; undefined where the registry has it from an earlier run. */
  entry?: ProjectEntry;
  rows: Translated[];
  /** What the registry is to say, resolved: what Pulumi's state gets. */
  inputs: ContainerInputs;
}

/** The estate to which an instance is to be added. */
export interface Into {
  context: Context;
  client: IncusClient;
  owner: Owner;
  /** The registry's text, with what was planned before. */
  text: string;
}

/**
 * @returns undefined where it is in the estate already
 * @throws Fault that says why it cannot be adopted as it is
 */
export async function planAdoption(
  instance: Instance,
  into: Into,
  options: PlanOptions,
): Promise<Adoption | undefined> {
  const { context, client, owner } = into;
  const { registry, library } = context;
  const standing = judgeInstance(instance, registry, owner.id);
  if (standing === "done") return undefined;
  const { incusProject } = registry.defaults;
  const moves = instance.project !== incusProject;
  if (moves) await requireMovable(client, instance, incusProject);
  await requireProfiles(client, instance, library, owner);

  const known = registry.projects.find(({ name }) => name === instance.name);
  if (known) {
    const { inputs } = await readBack(into, into.text, instance, known.image);
    return { instance, moves, rows: [], inputs };
  }
  const place = await repositoryOf(instance, registry, context, options);
  const user = await ownerOf(instance.name, place, registry);
  const image = options.image ?? (await imageOf(client, instance, registry, context));
  let found: Difference[] = [];
  for (const recognise of [true, false]) {
    const { entry, rows } = translate(instance, {
      repository: place,
      image,
      defaults: registry.defaults,
      owner: user,
      recognise,
      created: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    });
    const text = addProject(entry)(into.text);
    const read = await readBack(into, text, instance, image);
    found = read.differences;
    if (found.length === 0) return { instance, moves, entry, rows, inputs: read.inputs };
  }
  const list = found.map(({ property }) => property).join(", ");
  throw new Fault(
    `the instance "${instance.name}" is something that the registry cannot say exactly: ${list}`,
    {
      remedy:
        "Change that with incus to what the registry takes (docs name it), or look whether repos.d has an override of this name; then adopt it.",
      exitCode: EXIT.conflict,
    },
  );
}

/** What the registry would say of the container, against what it is. */
async function readBack(
  { context, client, owner }: Into,
  text: string,
  instance: Instance,
  image: string,
): Promise<{ inputs: ContainerInputs; differences: Difference[] }> {
  const { file, setting, library, config } = context;
  const { registry, problems } = await readRegistry({ file, env: setting.env, text });
  if (problems.length > 0) {
    const { RegistryFault } = await import("../../../registry/fault.ts");
    throw new RegistryFault(problems);
  }
  const project = registry.projects.find(({ name }) => name === instance.name);
  if (!project) throw new Error(`the entry of "${instance.name}" was not read back`);
  const alone = { ...registry, projects: [project] };
  const profiles = new Set((await client.getProfiles("default")).map(({ name }) => name));
  const facts = projectFacts({
    registry: alone,
    host: await lookAtHost(alone),
    server: { instances: [], profiles },
    templates: templatesOf(library),
    stackId: owner.id,
  }).get(instance.name);
  if (facts?.fault !== undefined || facts?.owner === undefined) {
    throw new Fault(facts?.fault ?? `the owner of ${project.repo} is not known`);
  }
  const wide = {
    remote: config.remote ?? "",
    owner,
    incusProject: registry.defaults.incusProject,
    restart: config.restart ?? false,
  };
  const inputs = { ...declaredContainer(wide, project, facts.owner), ready: true };
  const marked = {
    ...instance,
    config: { ...instance.config, ...adoptionMarks(owner, instance.name, image, facts.owner) },
  };
  return { inputs, differences: differences(inputsFrom(marked, inputs), inputs) };
}

/**
 * What makes an instance this stack's. It counts as ready: its users are its own, and nobody is made
 * inside a container that somebody else set up.
 */
export function adoptionMarks(owner: Owner, name: string, image: string, user: ContainerUser) {
  return {
    ...marks(owner, name),
    [MARK.image]: image,
    [MARK.ready]: readyMark({ user }),
  };
}
