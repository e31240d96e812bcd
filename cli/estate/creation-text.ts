// What new projects would be, for people to agree with: said from the very configuration that `up`
// would make of the registry.

import { problemLine } from "../../registry/fault.ts";
import { printable } from "../../registry/text.ts";
import type { Project } from "../../registry/types.ts";
import { cloneUrl } from "./clone-url.ts";
import type { Creation, Newcomer } from "./creation.ts";

/** @param up whether it is brought up as well, and not only written down */
export function describeCreation(creation: Creation, up: boolean): string {
  const { context, newcomers, projectExists } = creation;
  const { incusProject } = context.registry.defaults;
  const lines = newcomers.flatMap((newcomer) => describe(newcomer, creation));
  if (up && !projectExists) {
    lines.push(`Also makes the Incus project "${incusProject}", which holds the containers.`);
  }
  lines.push(`Written into ${printable(context.file)}${up ? "" : "; `repoman up` makes it"}.`);
  return lines.join("\n");
}

function describe({ project, facts, origin, exists }: Newcomer, { installs }: Creation): string[] {
  const rows: [string, string][] = [
    ["image", project.image],
    ["profiles", profiles(project, installs)],
    ["repository", `${repository(project)}${origin ? ` (${making(origin)})` : ""}`],
    ...project.mounts.map(({ source, path, readonly }): [string, string] => [
      "mount",
      `${source} → ${path}${readonly ? ", read-only" : ""}`,
    ]),
    ...project.ports.map(({ address, listen, connect, protocol }): [string, string] => [
      "port",
      `${address}:${listen} → ${connect}/${protocol}`,
    ]),
    ...Object.entries(project.env).map(([key, value]): [string, string] => [
      "environment",
      `${key}=${value}`,
    ]),
    ...Object.entries(project.config).map(([key, value]): [string, string] => [
      "config",
      `${key}=${value}`,
    ]),
    ...Object.entries(project.devices).map(([name, { type }]): [string, string] => [
      "device",
      `${name} (${type})`,
    ]),
    ...(facts.owner
      ? [["user", `${facts.owner.name} (${facts.owner.uid}:${facts.owner.gid})`] as const]
      : []),
    ["backup", project.backupPath ?? "none"],
  ].map(([key = "", value = ""]) => [key, value]);
  const title = exists
    ? `The container "${project.name}", which is there already, is taken over:`
    : `The container "${project.name}":`;
  return [title, ...rows.map(([key, value]) => `  ${key.padEnd(11)} ${printable(value)}`)];
}

function profiles({ profiles: names }: Project, installs: ReadonlySet<string>): string {
  const list = names.map((name) => (installs.has(name) ? `${name} (new on the server)` : name));
  return list.join(", ") || "none";
}

function repository({ repo, path }: Project): string {
  return repo === path ? repo : `${repo}, inside at ${path}`;
}

function making({ clone }: { clone?: string | undefined }): string {
  return clone === undefined ? "made by git init" : `cloned from ${cloneUrl(clone).url}`;
}

/** What keeps a project from coming up, and what else is to be known of it. */
export function troublesOf({ facts, warnings }: Newcomer): string[] {
  return [...facts.warnings, ...warnings.map(problemLine)];
}
