// From what was asked for on the command line to an entry of the registry: pure.

import { resolve } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { repository } from "../../registry/paths.ts";
import type { ProjectEntry } from "../../registry/project-schema.ts";
import { envName, instanceName } from "../../registry/rules.ts";
import { quote } from "../../registry/text.ts";

/** What `repoman new` may be told about one project. */
export interface Wish {
  name: string;
  /** As written: relative to repos_root, absolute, or from the current folder with `./`. */
  repo?: string | undefined;
  image?: string | undefined;
  profiles?: readonly string[] | undefined;
  mounts?: readonly string[] | undefined;
  env?: readonly string[] | undefined;
  backup?: boolean | undefined;
  /** rsync's patterns of what is not mirrored. */
  exclude?: readonly string[] | undefined;
}

const usage = (what: string, remedy: string) => new Fault(what, { remedy, exitCode: EXIT.usage });

/** @throws Fault (usage) */
export function requireName(name: string): void {
  const wrong = instanceName(name);
  if (wrong) throw usage(`the name ${quote(name)} ${wrong.what}`, wrong.remedy);
}

/**
 * Where the repository lies.
 *
 * @param places `cwd` for what begins with a dot
 * @returns the absolute path, and the same relative to repos_root
 * @throws Fault (usage) for what is not below repos_root
 */
export function placeOf(
  { name, repo = name }: Pick<Wish, "name" | "repo">,
  { reposRoot, home, cwd }: { reposRoot: string; home: string; cwd: string },
): { path: string; below: string } {
  const written = /^\.\.?(\/|$)/.test(repo) ? resolve(cwd, repo) : repo;
  const { path, below } = repository(written, reposRoot, home);
  if (below) return { path, below };
  throw usage(
    `the repository ${quote(path)} is not below repos_root (${reposRoot})`,
    "Name a directory below it, or change repos_root in the registry.",
  );
}

/** @param below the repository relative to repos_root */
export function entryOf(wish: Wish, below: string, created: Date): ProjectEntry {
  const { name, image, profiles, mounts = [], env = [], backup, exclude = [] } = wish;
  return {
    name,
    ...(below === name ? {} : { repo: below }),
    ...(image === undefined ? {} : { image }),
    ...(profiles === undefined || profiles.length === 0 ? {} : { profiles: [...profiles] }),
    ...(backup === false ? { backup: false } : {}),
    ...(exclude.length === 0 ? {} : { exclude: [...exclude] }),
    created: `${created.toISOString().slice(0, 19)}Z`,
    ...(mounts.length === 0 ? {} : { mount: mounts.map(mountOf) }),
    ...(env.length === 0 ? {} : { env: Object.fromEntries(env.map(variableOf)) }),
  };
}

/** `src:dst` or `src:dst:ro`. */
export function mountOf(text: string): NonNullable<ProjectEntry["mount"]>[number] {
  const parts = text.split(":");
  const [source = "", path = "", mode] = parts;
  const good = parts.length <= 3 && (mode === undefined || mode === "ro" || mode === "rw");
  if (source === "" || path === "" || !good) {
    throw usage(
      `the mount ${quote(text)} is not understood`,
      "Write it as source:path or source:path:ro, such as ~/.npm:~/.npm or /data:/data:ro.",
    );
  }
  return { source, path, ...(mode === "ro" ? { readonly: true } : {}) };
}

/** `K=V`; the value may hold further `=`. */
export function variableOf(text: string): [string, string] {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  const wrong = envName(name);
  if (at < 0 || wrong) {
    throw usage(
      `the variable ${quote(text)} ${wrong && at >= 0 ? wrong.what : "has no value"}`,
      wrong && at >= 0 ? wrong.remedy : "Write it as NAME=value.",
    );
  }
  return [name, text.slice(at + 1)];
}
