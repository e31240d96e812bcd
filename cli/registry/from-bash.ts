// `migrate --from-bash`. The bash script kept no registry: its containers lie in the Incus project
// default, each with a directory of LOCAL_REPOS mounted, and NFS_REPOS told it where mirrors go.
// Nothing is changed here; `adopt` takes each of them over.

import { commandLine } from "../../host/command-line.js";
import { Fault } from "../../host/fault.js";
import { inOwnWords, remedyInOwnWords } from "../../host/own-words.js";
import type { IncusClient } from "../../incus/client.ts";
import { addProject } from "../../registry/edit/edits.ts";
import type { ProjectEntry } from "../../registry/project-schema.ts";
import { readRegistryText } from "../../registry/registry-text.ts";
import { printable } from "../../registry/text.ts";
import { repositoryCandidates } from "../../survey/adoption.ts";
import type { Context } from "../context.ts";
import { planAdoption } from "../estate/adopt/plan.ts";

/** The Incus project that everything is in where nobody names one. */
const PROJECT = "default";

/** A container of the bash script's. */
export interface Older {
  name: string;
  /** `Running`, `Stopped`, … */
  state: string;
  /** Directories below repos_root that it has mounted, absolute. */
  repositories: string[];
  /** What the registry would say of it; absent where it cannot be adopted as it is. */
  entry?: ProjectEntry;
  /** Why not, and what to do about it. */
  refused?: string;
  /** What takes it over. */
  command: string;
}

/** The containers in the project default that have a repository, by name. */
export async function findOlder(context: Context, client: IncusClient): Promise<Older[]> {
  const { registry, config, setting, file } = context;
  const { reposRoot } = registry.defaults;
  const owner = { id: config.stackId ?? "", stack: setting.stack };
  const into = { context, client, owner, text: await readRegistryText(file) };
  const found: Older[] = [];
  const instances = await client.getInstances(PROJECT, 1);
  for (const instance of instances.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const candidates = repositoryCandidates(instance, reposRoot);
    const [first, ...others] = candidates;
    if (!first) continue;
    const { name } = instance;
    const choice = others.length > 0 ? ["--repo", first.repo] : [];
    const older: Older = {
      name,
      state: instance.status,
      repositories: candidates.map(({ repo }) => repo),
      command: inOwnWords(
        commandLine(["repoman", "adopt", name, "--from-project", PROJECT, ...choice]),
      ),
    };
    try {
      const repo = others.length > 0 ? { repo: first.repo } : {};
      const adoption = await planAdoption(instance, into, repo);
      // In the estate already.
      if (!adoption) continue;
      if (adoption.entry) {
        older.entry = adoption.entry;
        // The next one must not stand against it.
        into.text = addProject(adoption.entry)(into.text);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      older.refused = remedyInOwnWords(error.message);
    }
    found.push(older);
  }
  return found;
}

/** For people: each one's entry as it would be written, then what to run. */
export function describeOlder(found: readonly Older[], { registry, setting }: Context): string {
  const { reposRoot, backupRoot } = registry.defaults;
  const root = printable(reposRoot);
  if (found.length === 0) {
    return `No container in the Incus project "${PROJECT}" has a directory below ${root} mounted.\n`;
  }
  const parts = found.map((older) => {
    const head = `${printable(older.name)} (${older.state.toLowerCase()})\n`;
    if (older.refused !== undefined)
      return `${head}${indent(`cannot be adopted yet: ${older.refused}`)}`;
    const text = older.entry ? addProject(older.entry)("").trimEnd() : "is in the registry";
    return `${head}${indent(text)}`;
  });
  const ready = found.filter(({ refused }) => refused === undefined);
  const commands = ready.map(({ command }) => `  ${command}\n`).join("");
  const next =
    ready.length > 0
      ? `\nEach is stopped, moved and started again, once you have agreed:\n${commands}`
      : "";
  const backup =
    backupRoot === undefined
      ? "\nNo mirror is made of them: neither backup_root in [defaults] nor NFS_REPOS says where to.\n"
      : setting.env.NFS_REPOS
        ? `\nTheir mirrors stay in ${printable(backupRoot)}, each at the repository's own place.\n`
        : "";
  return `${parts.join("\n")}${next}${backup}`;
}

const indent = (text: string): string =>
  text
    .split("\n")
    .map((line) => `${line === "" ? "" : `  ${printable(line)}`}\n`)
    .join("");
