// What is not as the registry says, and what can be done about each: the same cases for the
// questions at a terminal, and for the commands that are printed where there is none. Pure.

import { commandLine } from "../../host/command-line.js";
import { describeOwner, MARK } from "../../providers/ownership.ts";
import { repositoryCandidates } from "../../survey/adoption.ts";
import type { Orphan, ProjectState } from "../../survey/reconcile.ts";
import type { Live } from "./live.ts";

export type Choice = "recreate" | "apply" | "forget" | "adopt" | "destroy";

export interface Way {
  choice: Choice;
  /** What it does, as a person is asked. */
  does: string;
  /** What does the same without questions, to be shown in own words (host/own-words.js). */
  command: string;
  /** Set where the choice alone is not enough: what is inside a container would be lost. */
  loses?: true;
}

/** One thing to repair. */
export interface Case {
  name: string;
  state: "missing" | "drift" | "orphan" | "conflict" | "fault" | "unreachable";
  /** What is wrong, in one line or two. */
  what: string;
  /** The best first; empty where it is for the user to mend. */
  ways: Way[];
}

export interface About {
  incusProject: string;
  reposRoot: string;
}

export function casesOf({ projects, orphans }: Live, about: About): Case[] {
  return [
    ...projects.flatMap((state) => caseOfProject(state)),
    ...orphans.map((orphan) => caseOfOrphan(orphan, about)),
  ];
}

function caseOfProject(state: ProjectState): Case[] {
  const { project, drift, reason, differences, replaces } = state;
  const { name, repo } = project;
  const up = commandLine(["repoman", "up", name, "--yes"]);
  switch (drift) {
    case "ok":
      return [];
    case "missing": {
      const forget = {
        choice: "forget",
        does: `take it out of the registry; ${repo} and its backup stay`,
        command: commandLine(["repoman", "remove", name, "--yes"]),
      } as const;
      const recreate = {
        choice: "recreate",
        does: "make it anew from its image; what was only inside the old one is lost",
        command: up,
      } as const;
      return [{ name, state: drift, what: "has no container", ways: [recreate, forget] }];
    }
    case "drift": {
      const list = differences.map(({ property }) => property).join(", ");
      const does = replaces
        ? "make a new container in its place; what is only inside the old one is lost"
        : "put back what the registry says";
      const ways: Way[] = [
        { choice: "apply", does, command: up, ...(replaces ? { loses: true } : {}) },
      ];
      return [{ name, state: drift, what: `differs from the registry: ${list}`, ways }];
    }
    default:
      return [{ name, state: drift, what: reason ?? drift, ways: [] }];
  }
}

function caseOfOrphan({ instance, own }: Orphan, about: About): Case {
  const { name, config, type } = instance;
  const { incusProject, reposRoot } = about;
  const foreign = config[MARK.stack] !== undefined && !own;
  const what = own
    ? "is this stack's, and not in the registry: `repoman up` deletes it"
    : `is in the Incus project "${incusProject}" and not in the registry; ${describeOwner(config)}`;
  if (foreign) return { name, state: "orphan", what, ways: [] };
  const adoptable =
    type === "container" &&
    !instance.ephemeral &&
    repositoryCandidates(instance, reposRoot).length > 0;
  const adopt: Way = {
    choice: "adopt",
    does: "take it into the registry as it is",
    command: commandLine(["repoman", "adopt", name, "--yes"]),
  };
  const destroy: Way = {
    choice: "destroy",
    does: "delete it, with all that is only inside it",
    command: commandLine(["incus", "delete", "--force", "--project", incusProject, name]),
  };
  return { name, state: "orphan", what, ways: [...(adoptable ? [adopt] : []), destroy] };
}
