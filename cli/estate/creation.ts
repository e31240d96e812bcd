// New projects: what would be made is found out before anything is, by the very checks and the very
// resolution that `up` goes through, over the text that the registry would have.

import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { EXIT, Fault } from "../../host/fault.js";
import { addProject, type Edit } from "../../registry/edit/edits.ts";
import { editRegistry } from "../../registry/edit/file.ts";
import { readEstate } from "../../registry/estate.ts";
import { VENDOR_PROFILES } from "../../registry/profiles.ts";
import type { ProjectEntry } from "../../registry/project-schema.ts";
import { nearest, quote } from "../../registry/text.ts";
import type { Problem, Project } from "../../registry/types.ts";
import { lookUp } from "../../survey/instances.ts";
import { accounts } from "../../survey/owners.ts";
import { lookAtServer } from "../../survey/server.ts";
import { lookAtHost, type ProjectFacts, projectFacts, templatesOf } from "../../survey/survey.ts";
import { type Context, connectTo } from "../context.ts";
import { entryOf, placeOf, requireName, type Wish } from "./entry.ts";
import { requireNotRenaming } from "./renamings.ts";
import { type Origin, provideRepository, requireRepository } from "./repository.ts";

/** One project that would be made. */
export interface Newcomer {
  entry: ProjectEntry;
  project: Project;
  facts: ProjectFacts;
  /** Whether its repository is yet to be made, and how. */
  origin: Origin | undefined;
  /** Whether a container of this stack's is there already, and is taken over. */
  exists: boolean;
  warnings: Problem[];
}

export interface Creation {
  context: Context;
  newcomers: Newcomer[];
  /** The text on which all this was found out; another one by the time of writing is refused. */
  seen: string;
  edit: Edit;
  /** Whether the Incus project is there. */
  projectExists: boolean;
  /** Profiles that are put on the server by it. */
  installs: Set<string>;
}

/**
 * Finds out what making these would mean; nothing is changed.
 *
 * @throws Fault: usage for what was asked for, conflict for what stands in its way
 */
export async function planCreation(
  context: Context,
  wishes: readonly (Wish & Origin)[],
): Promise<Creation> {
  const { setting, registry, file } = context;
  const home = setting.env.HOME ?? userInfo().homedir;
  const places = { reposRoot: registry.defaults.reposRoot, home, cwd: process.cwd() };
  const seen = await readFile(file, "utf8");
  const created = new Date();
  const asked: { entry: ProjectEntry; origin: Origin | undefined }[] = [];
  for (const wish of wishes) {
    requireName(wish.name);
    await requireFree(context, wish.name);
    const { path, below } = placeOf(wish, places);
    requireUnused(context, path);
    const missing = await requireRepository(path, wish, setting.env);
    asked.push({ entry: entryOf(wish, below, created), origin: missing ? wish : undefined });
  }
  await requireNotRenaming(
    setting,
    registry,
    wishes.map(({ name }) => name),
  );
  const edit: Edit = (text) => asked.reduce((now, { entry }) => addProject(entry)(now), text);
  const { env } = setting;
  const candidate = await readEstate({ file, text: edit(seen), env, vendorDir: VENDOR_PROFILES });
  if (candidate.problems.length > 0) throw refused(candidate.problems);
  const names = new Set(wishes.map(({ name }) => name));
  const projects = candidate.registry.projects.filter(({ name }) => names.has(name));

  const client = await connectTo(context);
  try {
    const { incusProject } = registry.defaults;
    const [server, incusProjects] = await Promise.all([
      lookAtServer(client, incusProject),
      client.getProjects(),
    ]);
    requireProfiles(projects, server.profiles, candidate.library);
    const own = { ...candidate.registry, projects };
    const host = await lookAtHost(own);
    const uid = process.getuid?.() ?? 0;
    const gid = process.getgid?.() ?? 0;
    projects.forEach((project, index) => {
      const origin = asked.find(({ entry }) => entry.name === project.name)?.origin;
      if (origin) host.repositories[index] = { uid, gid };
    });
    for (const [id, account] of await accounts([uid])) host.owners.set(id, account);
    const stackId = context.config.stackId ?? "";
    const templates = templatesOf(candidate.library);
    const facts = projectFacts({ registry: own, host, server, templates, stackId });
    const newcomers = projects.map((project): Newcomer => {
      const { name } = project;
      const wanted = asked.find(({ entry }) => entry.name === name);
      const found = facts.get(name);
      if (!wanted || !found) throw new Error(`nothing was found out about "${name}"`);
      const { own: existing, other } = lookUp(server.instances, name, context.config.stackId);
      if (other) throw inTheWay(name, incusProject);
      const warnings = candidate.registry.warnings.filter((each) => each.project === name);
      return { ...wanted, project, facts: found, exists: existing !== undefined, warnings };
    });
    const wanted = new Set(projects.flatMap(({ profiles }) => profiles));
    return {
      context,
      newcomers,
      seen,
      edit,
      projectExists: incusProjects.some(({ name }) => name === incusProject),
      installs: new Set(
        [...wanted].filter((each) => candidate.library.has(each) && !server.profiles.has(each)),
      ),
    };
  } finally {
    client.close();
  }
}

async function requireFree({ registry, file }: Context, name: string): Promise<void> {
  const taken = registry.projects.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (!taken) return;
  throw new Fault(`there is a project ${quote(taken.name)} already, in ${file}`, {
    remedy: `Choose another name; or bring that one up: repoman up ${taken.name}`,
    exitCode: EXIT.conflict,
  });
}

function requireUnused({ registry }: Context, path: string): void {
  const user = registry.projects.find(({ repo }) => repo === path);
  if (!user) return;
  throw new Fault(`the repository ${quote(path)} is the project ${quote(user.name)}'s already`, {
    remedy: "Each repository has one container. Name another with --repo.",
    exitCode: EXIT.conflict,
  });
}

function inTheWay(name: string, incusProject: string): Fault {
  return new Fault(
    `an instance ${quote(name)} is there already, in the Incus project ${quote(incusProject)}, and is not this stack's`,
    {
      remedy: `Choose another name; or take it over as it is: repoman adopt ${name}`,
      exitCode: EXIT.conflict,
    },
  );
}

/** What cannot be right in what was asked for; the file itself is sound. */
function refused(problems: readonly Problem[]): Fault {
  return new Fault("the registry would not be sound with that, so nothing is changed", {
    remedy: problems.map(({ what, remedy }) => `${what}: ${remedy}`).join("\n"),
    exitCode: EXIT.usage,
  });
}

function requireProfiles(
  projects: readonly Project[],
  onServer: ReadonlySet<string>,
  library: Pick<ReadonlyMap<string, unknown>, "has" | "keys">,
): void {
  for (const { name, profiles } of projects) {
    for (const profile of profiles) {
      if (library.has(profile) || onServer.has(profile)) continue;
      const known = [...new Set([...library.keys(), ...onServer])];
      const near = nearest(profile, known);
      throw new Fault(
        `the container ${quote(name)} asks for the profile ${quote(profile)}, which is neither in the library nor on the server`,
        {
          remedy: [
            ...(near === undefined ? [] : [`Did you mean ${quote(near)}?`]),
            `Write it (repoman profile new ${profile}), then: repoman profile install ${profile}`,
            "What there is: repoman profile list",
          ].join("\n"),
          exitCode: EXIT.conflict,
        },
      );
    }
  }
}

/**
 * Makes the repositories that are not there, and writes the entries.
 *
 * @throws Fault (conflict) where the registry was changed meanwhile
 */
export async function enter({ context, newcomers, seen, edit }: Creation): Promise<void> {
  const { setting, file } = context;
  for (const { origin, project } of newcomers) {
    if (origin) await provideRepository(project.repo, origin, setting.env);
  }
  await editRegistry(file, edit, { env: setting.env, seen });
}
