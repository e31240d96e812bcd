// What a value on the command line is, where the definitions alone do not tell.

import type { Argument, Command, Option } from "commander";

/** `unknown`: nothing sensible can be offered. */
export type Kind =
  | "project"
  | "stack"
  | "profile"
  /** A repository that has no container yet, by its place below `repos_root`. */
  | "repository"
  /** The name that such a repository would get. */
  | "newcomer"
  | "directory"
  | "file"
  | "unknown";

/** Options by their long name; others go by their placeholder. */
const OPTIONS: Readonly<Record<string, Kind>> = {
  "--stack": "stack",
  "--profile": "profile",
  "--mount": "file",
};

const PLACEHOLDERS: Readonly<Record<string, Kind>> = { dir: "directory", file: "file" };

/** Options that mean something else in one command. */
const OPTIONS_OF: Readonly<Record<string, Kind>> = { "new --repo": "repository" };

/** Arguments of this name are projects, unless it says otherwise below. */
const PROJECTS: ReadonlySet<string> = new Set(["name", "names", "old"]);

/** Arguments by command, or by command and argument. */
const ARGUMENTS: Readonly<Record<string, Kind>> = {
  new: "newcomer",
  adopt: "unknown",
  "profile new": "unknown",
  profile: "profile",
};

export function kindOfOption(command: Command, option: Option): Kind {
  const long = option.long ?? "";
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? "";
  return (
    OPTIONS_OF[`${pathOf(command)} ${long}`] ??
    OPTIONS[long] ??
    PLACEHOLDERS[placeholder] ??
    "unknown"
  );
}

export function kindOfArgument(command: Command, argument: Argument): Kind {
  const path = pathOf(command);
  const [parent = ""] = path.split(" ");
  const project = PROJECTS.has(argument.name()) ? "project" : "unknown";
  return ARGUMENTS[path] ?? ARGUMENTS[parent] ?? project;
}

/** `profile show`: without the program's own name. */
export function pathOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each?.parent; each = each.parent) {
    names.unshift(each.name());
  }
  return names.join(" ");
}
