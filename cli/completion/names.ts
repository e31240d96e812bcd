// The names in a registry, without the checks that loading it means: those cost a tenth of a second
// and end at the first mistake, and a name is wanted while the file is being mended, too.

import { parse } from "smol-toml";
import { instanceName } from "../../registry/rules.ts";

export interface Named {
  name: string;
  /** As it is written. */
  repo: string | undefined;
}

export interface Names {
  projects: Named[];
  /** As it is written. */
  reposRoot: string | undefined;
}

/** What a registry says of names, or, where it is no TOML, what looks as if it did. */
export function namesIn(text: string): Names {
  let data: Record<string, unknown>;
  try {
    data = parse(text);
  } catch {
    data = guess(text);
  }
  const tables = Array.isArray(data.project) ? data.project : [];
  const defaults = table(data.defaults);
  return {
    projects: tables.map(table).flatMap(({ name, repo }) => {
      // What Incus would refuse is no project either, and a shell would have to be guarded from it.
      if (typeof name !== "string" || instanceName(name) !== undefined) return [];
      return [{ name, repo: typeof repo === "string" ? repo : undefined }];
    }),
    reposRoot: [defaults.repos_root, defaults.local_repos].find((each) => typeof each === "string"),
  };
}

function table(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Tables and plain strings, line by line. */
function guess(text: string): Record<string, unknown> {
  const projects: Record<string, unknown>[] = [];
  const defaults: Record<string, unknown> = {};
  let open: Record<string, unknown> = {};
  for (const line of text.split("\n")) {
    const header = /^\s*(\[\[?)\s*([\w.]+)\s*\]/.exec(line);
    if (header) {
      open = header[2] === "defaults" ? defaults : {};
      if (header[1] === "[[" && header[2] === "project") projects.push(open);
      continue;
    }
    const [, key, double, single] = /^\s*(\w+)\s*=\s*(?:"([^"\\]*)"|'([^']*)')/.exec(line) ?? [];
    if (key !== undefined) open[key] ??= double ?? single;
  }
  return { project: projects, defaults };
}
