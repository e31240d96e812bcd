// What a command is about, where it was not said: chosen at the terminal.

import { EXIT, Fault } from "../../host/fault.js";
import type { Context } from "../context.ts";
import { ask, canAsk } from "../output/ask.ts";
import { requireNames } from "../preflight.ts";

/** What there is to choose from. */
export interface Choice {
  names: readonly string[];
  /** Such as "Remove which project?" */
  question: string;
  /** What is chosen; a project unless said. */
  what?: string;
}

/**
 * The one that was named, else one that is chosen.
 *
 * @throws Fault (usage) where none was named and nobody can be asked
 */
export async function chooseOne(
  name: string | undefined,
  { names, question, what }: Choice,
): Promise<string> {
  if (name !== undefined) return name;
  if (!canAsk() || names.length === 0) throw unnamed(names, what);
  return ask<string>(({ select }, io) =>
    select<string>({ message: question, options: options(names), maxItems: 12, ...io }),
  );
}

/**
 * The same, of the projects of the registry.
 *
 * @throws Fault (usage) also for a name that is not there
 */
export async function chooseProject(
  { registry, file }: Context,
  name: string | undefined,
  question: string,
): Promise<string> {
  const names = registry.projects.map((project) => project.name);
  const chosen = await chooseOne(name, { names, question });
  requireNames([chosen], names, file);
  return chosen;
}

/**
 * The same for a command that takes several.
 *
 * @param verb for the question: "start"
 */
export async function chooseProjects(
  { registry, file }: Context,
  given: readonly string[],
  verb: string,
): Promise<string[]> {
  const names = registry.projects.map(({ name }) => name);
  requireNames(given, names, file);
  if (given.length > 0) return [...new Set(given)];
  if (!canAsk() || names.length === 0) throw unnamed(names, `project to ${verb}`);
  return ask<string[]>(({ multiselect }, io) =>
    multiselect<string>({
      message: `Which ones to ${verb}?`,
      options: options(names),
      required: true,
      ...io,
    }),
  );
}

function options(names: readonly string[]) {
  return names.map((value) => ({ value, label: value }));
}

function unnamed(names: readonly string[], what = "project"): Fault {
  return new Fault(`this needs to be told which ${what}`, {
    remedy: names.length > 0 ? `There are: ${names.join(", ")}.` : "There is none.",
    exitCode: EXIT.usage,
  });
}
