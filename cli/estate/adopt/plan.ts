// What an adoption comes to, worked out and proved before anything is changed: the entry, read back
// as the registry reads it, has to describe the very container that is there.

import { EXIT, Fault } from "../../../host/fault.js";
import type { IncusClient } from "../../../incus/client.ts";
import { NotFound } from "../../../incus/errors.ts";
import { remotes } from "../../../incus/remotes.ts";
import type { Instance } from "../../../incus/types.ts";
import { declaredContainer } from "../../../providers/container/declared.ts";
import { type Difference, differences } from "../../../providers/container/differences.ts";
import type { ContainerInputs, ContainerUser } from "../../../providers/container/inputs.ts";
import { inputsFrom } from "../../../providers/container/live.ts";
import { readyMark } from "../../../providers/container/user.ts";
import { isOwn, MARK, marks, type Owner, profileMark } from "../../../providers/ownership.ts";
import { addProject } from "../../../registry/edit/edits.ts";
import { readRegistry } from "../../../registry/load.ts";
import { repository } from "../../../registry/paths.ts";
import type { ProjectEntry } from "../../../registry/schema.ts";
import type { Library, Registry } from "../../../registry/types.ts";
import {
  type Candidate,
  repositoryCandidates,
  type Translated,
  translate,
} from "../../../survey/adoption.ts";
import { accounts } from "../../../survey/owners.ts";
import { lookAtRepository } from "../../../survey/repository.ts";
import { lookAtHost, projectFacts, templatesOf } from "../../../survey/survey.ts";
import type { Context } from "../../context.ts";
import { judgeInstance, requireMovable } from "./find.ts";

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

export interface PlanOptions {
  /** `--repo` */
  repo?: string | undefined;
  /** `--image` */
  image?: string | undefined;
  /** Chooses between several devices; without it that is bad usage. */
  choose?: ((candidates: readonly Candidate[]) => Promise<Candidate>) | undefined;
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

/** @throws Fault (usage) where no device is the repository, or several could be */
async function repositoryOf(
  instance: Instance,
  { defaults }: Registry,
  { setting }: Context,
  { repo, choose }: PlanOptions,
): Promise<Candidate> {
  const { name, project } = instance;
  const all = repositoryCandidates(instance, defaults.reposRoot);
  const home = setting.env.HOME ?? "/";
  const wanted = repo === undefined ? undefined : repository(repo, defaults.reposRoot, home).path;
  const candidates = wanted === undefined ? all : all.filter((each) => each.repo === wanted);
  const [first, ...others] = candidates;
  if (first && others.length === 0) return first;
  if (first && choose) return choose(candidates);
  if (first) {
    throw new Fault(
      `the instance "${name}" has several directories below ${defaults.reposRoot}: ${candidates
        .map((each) => each.repo)
        .join(", ")}`,
      { remedy: "Say which one is its repository: --repo DIR", exitCode: EXIT.usage },
    );
  }
  const place = wanted ?? `${defaults.reposRoot}/${name}`;
  throw new Fault(
    `no disk device of the instance "${name}" brings ${wanted ?? `a directory below ${defaults.reposRoot}`}`,
    {
      remedy: `A project's container has its repository. Give it: incus config device add --project ${project} ${name} repo disk source=${place} path=${place}`,
      exitCode: EXIT.usage,
    },
  );
}

async function ownerOf(
  name: string,
  { repo }: Candidate,
  { defaults }: Registry,
): Promise<{ uid: number; gid: number }> {
  const facts = await lookAtRepository({ name, repo }, defaults.reposRoot);
  if ("fault" in facts) throw new Fault(facts.fault);
  const account = (await accounts([facts.uid])).get(facts.uid);
  return account ?? facts;
}

/** What to write as its image: what it was made from, as far as anybody knows. */
async function imageOf(
  client: IncusClient,
  { config }: Instance,
  { defaults }: Registry,
  { setting }: Context,
): Promise<string> {
  const fingerprint = config["volatile.base_image"];
  const marked = config[MARK.image];
  if (marked !== undefined) return marked;
  if (!fingerprint) return defaults.defaultImage;
  try {
    const { aliases, update_source: source } = await client.getImage("default", fingerprint);
    const names = aliases.map(({ name }) => name);
    const known = names.includes(defaults.defaultImage) ? defaults.defaultImage : names[0];
    if (known !== undefined) return known;
    for (const { name, addresses } of remotes(setting.env).values()) {
      if (source && addresses.includes(source.server)) return `${name}:${source.alias}`;
    }
  } catch (error) {
    // It was cached once, and is not any more.
    if (!(error instanceof NotFound)) throw error;
  }
  return fingerprint;
}

/** A profile of the library is Pulumi's once a project refers to it: it has to be this stack's. */
async function requireProfiles(
  client: IncusClient,
  { name, profiles }: Instance,
  library: Library,
  owner: Owner,
): Promise<void> {
  const ofLibrary = profiles.filter((each) => each !== "default" && library.has(each));
  if (ofLibrary.length === 0) return;
  const server = await client.getProfiles("default");
  const others = ofLibrary.filter((each) => {
    const found = server.find((profile) => profile.name === each);
    return found && found.config[profileMark(owner)] === undefined;
  });
  if (others.length === 0) return;
  const list = others.map((each) => `"${each}"`).join(", ");
  throw new Fault(
    `the instance "${name}" uses ${list}, of which repoman's library has a template and the server something that repoman did not make`,
    {
      remedy: `See how they differ, then hand them over: repoman profile install ${others.join(" ")} --adopt`,
      exitCode: EXIT.conflict,
    },
  );
}

/** @throws Fault (conflict) where the estate's Incus project is not this stack's */
export async function requireOwnProject(
  client: IncusClient,
  name: string,
  owner: Owner,
): Promise<void> {
  const found = (await client.getProjects()).find((each) => each.name === name);
  if (!found || isOwn(found.config, owner)) return;
  const whose =
    found.config[MARK.stack] === undefined
      ? "repoman did not make it"
      : `it belongs to the stack "${found.config[MARK.stackName]}"`;
  throw new Fault(`the Incus project "${name}" exists and ${whose}`, {
    remedy:
      "Choose another name (incus_project in the registry's [defaults]), or hand it to this stack:\n" +
      `incus project set ${name} ${MARK.stack}=${owner.id}`,
    exitCode: EXIT.conflict,
  });
}
