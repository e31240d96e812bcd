// Names to complete, from files of this host alone. Everything here is tolerant: a file that is
// missing or broken has nothing to offer, and what could not be a name is left out.

import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { expandHome, hostStack, paths } from "../../host/paths.js";
import { readText } from "../../registry/read.ts";
import { profileName } from "../../registry/rules.ts";
import { printable } from "../../registry/text.ts";
import type { Candidate, Given } from "./complete.ts";
import type { Kind } from "./kinds.ts";
import { type Named, namesIn } from "./names.ts";

/** What a stack may be called; see `findSetting`. */
const STACK = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;
const MOST = 16 * 1024 * 1024;
const LONGEST_SUMMARY = 60;

export interface Place {
  /** The project's folder. */
  root: string;
  env: NodeJS.ProcessEnv;
  /** What relative paths on the command line are relative to. */
  cwd: string;
}

export async function valuesOf(kind: Kind, given: Given, place: Place): Promise<Candidate[]> {
  switch (kind) {
    case "stack":
      return plain(await stacks(place), (name) => STACK.test(name));
    case "profile":
      return plain(await profiles(given, place), (name) => profileName(name) === undefined);
    case "project":
      return (await projects(given, place)).map(({ name, repo }) => ({
        value: name,
        summary: shorten(repo ?? ""),
      }));
    case "repository":
      return (await newcomers(given, place)).map(({ repo }) => ({ value: repo, summary: "" }));
    case "newcomer":
      return (await newcomers(given, place)).map(({ name, repo }) => ({
        value: name,
        summary: repo === name ? "" : shorten(repo),
      }));
    default:
      return [];
  }
}

function plain(names: Iterable<string>, good: (name: string) => boolean): Candidate[] {
  const sorted = [...new Set(names)].filter(good).sort();
  return sorted.map((value) => ({ value, summary: "" }));
}

function shorten(text: string): string {
  const line = printable(text);
  return line.length > LONGEST_SUMMARY ? `${line.slice(0, LONGEST_SUMMARY - 1)}…` : line;
}

/** Those that have a config file, or something in the state directory. */
async function stacks({ root, env }: Place): Promise<string[]> {
  const ofConfig = (await list(root)).flatMap(
    (file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [],
  );
  return [...ofConfig, ...(await list(join(paths(env).stateDir, "stacks")))];
}

async function profiles(given: Given, place: Place): Promise<string[]> {
  const own = join(dirname(await registryFile(given, place)), "profiles.d");
  const files = [
    ...(await list(join(import.meta.dirname, "../../profiles"))),
    ...(await list(own)),
  ];
  return files.flatMap((file) => /^(.+)\.ya?ml$/.exec(file)?.[1] ?? []);
}

async function projects(given: Given, place: Place): Promise<Named[]> {
  return namesIn(await registryText(given, place)).projects;
}

async function newcomers(given: Given, place: Place): Promise<{ name: string; repo: string }[]> {
  const { home } = paths(place.env);
  const { projects: known, reposRoot } = namesIn(await registryText(given, place));
  const root = expandHome(reposRoot ?? (place.env.LOCAL_REPOS || "~/repos"), home);
  if (!root.startsWith("/")) return [];
  const { scan } = await import("../estate/scan.ts");
  const found = await scan(
    root,
    known.map(({ name, repo }) => ({ name, repo: resolve(root, expandHome(repo ?? name, home)) })),
  );
  return found.filter(({ repo }) => repo === printable(repo));
}

async function registryText(given: Given, place: Place): Promise<string> {
  const file = await registryFile(given, place);
  const reading = await readText(file, { most: MOST, links: true });
  return "text" in reading ? reading.text : "";
}

/** The one that is named on the line, else that of the stack, else the user's own. */
async function registryFile(given: Given, { root, env, cwd }: Place): Promise<string> {
  const { home, registry } = paths(env);
  if (given.registry) return resolve(cwd, expandHome(given.registry, home));
  const stack = given.stack ?? (env.PULUMI_STACK || hostStack());
  if (!STACK.test(stack)) return registry;
  const config = join(root, `Pulumi.${stack}.yaml`);
  const reading = await readText(config, { most: MOST, links: true });
  // Most have none, and a parser for YAML takes as long to load as all the rest.
  if (!("text" in reading) || !reading.text.includes("repoman:registry")) return registry;
  const { readStackConfig } = await import("../pulumi/stack-config.ts");
  const named = (await readStackConfig(config).catch(() => undefined))?.registry;
  return named === undefined ? registry : resolve(root, expandHome(named, home));
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
