// Looking after an estate: each check is a small module of its own, all of them are made at once, and
// one that cannot be made, or takes too long, says so instead of holding up the others.

import type { Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import type { Instance } from "../../incus/types.ts";
import type { Owner } from "../../providers/ownership.ts";
import { printable } from "../../registry/text.ts";
import type { Library, Problem, Project, Registry } from "../../registry/types.ts";
import type { ProjectState, Reconciled } from "../reconcile.ts";
import type { HostFacts } from "../survey.ts";

/** In the order in which they are shown. */
export const GROUPS = [
  "server",
  "project",
  "profiles",
  "containers",
  "backups",
  "repositories",
  "host",
  "registry",
] as const;
export type Group = (typeof GROUPS)[number];

export interface Finding {
  group: Group;
  /** What it is about: a project, a profile, a path. */
  subject: string;
  /** `unknown`: the check could not be made; `note`: to be known, and nothing to mend. */
  state: "good" | "note" | "bad" | "unknown";
  what: string;
  /** What to do about it; always there where something is bad. */
  remedy?: string;
}

/** All that is known before the checks begin. */
export interface Patient {
  registry: Registry;
  library: Library;
  /** What is wrong with registry and library. */
  problems: readonly Problem[];
  /** Absolute path of the registry. */
  file: string;
  env: NodeJS.ProcessEnv;
  owner: Owner;
  /** Undefined where the server is out of reach. */
  client: IncusClient | undefined;
  unreachable?: Fault | undefined;
  /** Whether the server is this machine's own: it sees the same files. */
  local: boolean;
  instances: readonly Instance[];
  reconciled: Reconciled;
  host: HostFacts;
  /** Those that were asked about; all unless one was named. */
  projects: readonly Project[];
  /** Whether all were asked about. */
  whole: boolean;
}

export interface Check {
  group: Group;
  /** What could not be checked, where it takes too long or fails. */
  subject: string;
  /** Milliseconds. */
  limit: number;
  look(patient: Patient, signal: AbortSignal): Promise<Finding[]>;
}

/** Makes all checks at once; the findings are in the order of the groups. */
export async function examine(patient: Patient, checks: readonly Check[]): Promise<Finding[]> {
  const findings = (await Promise.all(checks.map((check) => bounded(patient, check)))).flat();
  return GROUPS.flatMap((group) => bySubject(findings.filter((each) => each.group === group)));
}

/** What several checks say of one thing stands together. */
function bySubject(findings: readonly Finding[]): Finding[] {
  const subjects = new Set(findings.map(({ subject }) => subject));
  return [...subjects].flatMap((name) => findings.filter(({ subject }) => subject === name));
}

async function bounded(patient: Patient, check: Check): Promise<Finding[]> {
  const { group, subject, limit } = check;
  const unknown = (what: string): Finding[] => [{ group, subject, state: "unknown", what }];
  const late = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(() => {
    late.abort();
    resolve(unknown(`could not be checked: no answer in ${limit / 1000} s`));
  }, limit);
  check.look(patient, late.signal).then(resolve, (error: unknown) => {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    resolve(unknown(`could not be checked: ${printable(first)}`));
  });
  return promise.finally(() => clearTimeout(timer));
}

/** A finding from a message whose further lines are the remedy. */
export function fromMessage(
  group: Group,
  subject: string,
  state: Finding["state"],
  message: string,
): Finding {
  const [what = "", ...rest] = message.split("\n").map((line) => line.trim());
  const remedy = rest.filter(Boolean).join(" ");
  // The subject stands beside it already.
  const short = what.replace(new RegExp(`^(project|container) "${escaped(subject)}": `), "");
  return { group, subject, state, what: short, ...(remedy && { remedy }) };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The states of the projects that were asked about. */
export function statesOf({ reconciled, projects }: Patient): ProjectState[] {
  const names = new Set(projects.map(({ name }) => name));
  return reconciled.projects.filter(({ project }) => names.has(project.name));
}

/** Does `work` for all of them, some at a time. */
export async function someAtATime<T, R>(
  all: readonly T[],
  work: (each: T) => Promise<R>,
  atOnce = 4,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < all.length; index = next++) {
      results[index] = await work(all[index] as T);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
