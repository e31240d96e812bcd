import { EXIT, Fault } from "../../host/fault.js";
import type { ProjectEntry } from "../project-schema.ts";
import { nearest, quote } from "../text.ts";
import { append, assign, at, pairAt, remove } from "./assign.ts";
import { flatten } from "./blocks.ts";
import { Draft } from "./draft.ts";
import type { Pair } from "./source.ts";
import { isTable, own, same, type Table } from "./values.ts";

export { migrateText } from "./migrate.ts";
export { newRegistry } from "./new.ts";

/*
 * Edits of the registry's text. The file is the user's: comments, order, blank lines, quotes and line
 * ends of all that is not edited stay as they are, and an edit that is undone (a value set back, a
 * project added and removed, a key set and taken away) leaves the bytes that were there before.
 * What cannot be known any more is not brought back: the spelling of a number or of an escape that
 * was overwritten, a comment in a line that was removed, an empty table.
 */

/**
 * From one text to the next.
 *
 * @throws Fault where the text is no TOML, or the edit cannot be made
 */
export type Edit = (text: string) => string;

/** Values by key; undefined takes the key away. */
export type ProjectValues = { [K in keyof ProjectEntry]?: ProjectEntry[K] | undefined };

/**
 * Adds a project behind the others, in the spelling that they have.
 *
 * @throws Fault (conflict) where there is one of this name
 */
export function addProject(entry: ProjectEntry): Edit {
  return editing((draft) => {
    const projects = entries(draft);
    const wanted = entry.name.toLowerCase();
    refuseTaken(projects.find((each) => each?.toLowerCase() === wanted));
    const before = at(draft.source.data, ["project"]) ?? [];
    if (!Array.isArray(before)) {
      throw new Fault("what the registry has as project is no list", {
        remedy: "Begin each project with two brackets: [[project]].",
      });
    }
    append(draft, ["project"], entry);
    return (data) => ({ ...data, project: [...before, entry] });
  });
}

/**
 * Removes a project, with its tables and the comments that belong to it.
 *
 * @throws Fault (usage) where there is none of this name
 */
export function removeProject(name: string): Edit {
  return editing((draft) => {
    const index = find(draft, name);
    draft.remove(["project", index]);
    return (data) => ({ ...data, project: list(data).toSpliced(index, 1) });
  });
}

/** Stands behind the repository of a project that was renamed, and goes when it is renamed back. */
const KEPT = "from its former name";

/**
 * Gives a project another name. Its repository stays what it is: where it went by the name, it is
 * written down.
 *
 * @throws Fault (usage) where there is no project `from`, (conflict) where there is one `to`
 */
export function renameProject(from: string, to: string): Edit {
  return editing((draft) => {
    const index = find(draft, from);
    const names = entries(draft).filter((_, other) => other !== index);
    refuseTaken(names.find((each) => each?.toLowerCase() === to.toLowerCase()));
    if (from === to) return (data) => data;
    const path = ["project", index];
    const repo = at(draft.source.data, [...path, "repo"]);
    assign(draft, [...path, "name"], to);
    const written = pairAt(draft, [...path, "repo"]);
    if (repo === undefined) {
      const below = pairAt(draft, [...path, "name"]);
      assign(draft, [...path, "repo"], from, { below, comment: KEPT });
    } else if (repo === to && written && isNoted(draft, written)) {
      remove(draft, [...path, "repo"]);
    }
    const next = at(draft.source.data, [...path, "repo"]);
    return (data) => withProject(data, index, (entry) => ({ ...entry, name: to, repo: next }));
  });
}

/**
 * Sets some keys of a project.
 *
 * @throws Fault (usage) where there is none of this name
 */
export function setProject(name: string, values: ProjectValues): Edit {
  return editing((draft) => {
    const index = find(draft, name);
    for (const [key, value] of Object.entries(values)) {
      assign(draft, ["project", index, key], value);
    }
    return (data) => withProject(data, index, (entry) => ({ ...entry, ...values }));
  });
}

/** Sets some keys of a table; undefined takes a key away. */
export function setTable(
  table: "repoman" | "host" | "defaults",
  values: Record<string, unknown>,
): Edit {
  return editing((draft) => {
    for (const [key, value] of Object.entries(values)) assign(draft, [table, key], value);
    return (data) => {
      const old = own(data, table);
      return { ...data, [table]: { ...(isTable(old) ? old : {}), ...values } };
    };
  });
}

/** Makes an edit, and sees to it that the text says what it should and nothing else changed. */
export function editing(work: (draft: Draft) => (data: Table) => Table): Edit {
  return (text) => {
    const draft = new Draft(text);
    const before = draft.source.data;
    const expected = work(draft)(before);
    const after = draft.toString();
    if (!same(plain(new Draft(after).source.data), plain(expected))) {
      throw new Fault("the registry is written in a way that repoman cannot edit without harm", {
        remedy: "Edit the file by hand: `repoman config edit` checks what you write.",
      });
    }
    return after;
  };
}

/** What a file says, whichever way it spells options; empty tables and lists of tables are nothing. */
function plain(data: Table): Table {
  const drop = (table: Table): Table =>
    Object.fromEntries(
      Object.entries(table)
        .map(([key, value]) => [key, isTable(value) ? drop(value) : value] as const)
        .filter(([, value]) => value !== undefined)
        .filter(([, value]) => !(isTable(value) && Object.keys(value).length === 0)),
    );
  const options = (table: unknown) =>
    isTable(table)
      ? Object.fromEntries(flatten(table).map(([name, , value]) => [name, value]))
      : table;
  const projects = list(data).map((entry) => {
    if (!isTable(entry)) return entry;
    const { config, device, ...rest } = entry;
    const devices = isTable(device)
      ? Object.fromEntries(Object.entries(device).map(([name, each]) => [name, options(each)]))
      : device;
    const mounts =
      Array.isArray(entry.mount) && entry.mount.length === 0 ? { mount: undefined } : {};
    return drop({ ...rest, ...mounts, config: options(config), device: devices });
  });
  const { project, ...rest } = drop(data);
  return Array.isArray(project) || project === undefined
    ? { ...rest, ...(projects.length > 0 && { project: projects }) }
    : { ...rest, project };
}

const list = (data: Table): unknown[] => (Array.isArray(data.project) ? data.project : []);

function withProject(data: Table, index: number, change: (entry: Table) => Table): Table {
  return { ...data, project: list(data).with(index, change(list(data)[index] as Table)) };
}

function entries(draft: Draft): (string | undefined)[] {
  return list(draft.source.data).map((entry) => {
    const name = isTable(entry) ? own(entry, "name") : undefined;
    return typeof name === "string" ? name : undefined;
  });
}

function find(draft: Draft, name: string): number {
  const names = entries(draft);
  const index = names.indexOf(name);
  if (index >= 0 && names.lastIndexOf(name) === index) return index;
  if (index >= 0) {
    throw new Fault(`the registry has two projects ${quote(name)}`, {
      remedy: "Remove one of them by hand first.",
      exitCode: EXIT.conflict,
    });
  }
  const near = nearest(
    name,
    names.filter((each) => each !== undefined),
  );
  throw new Fault(`the registry has no project ${quote(name)}`, {
    ...(near !== undefined && { remedy: `Did you mean ${quote(near)}?` }),
    exitCode: EXIT.usage,
  });
}

function refuseTaken(name: string | undefined): void {
  if (name === undefined) return;
  throw new Fault(`the registry has a project ${quote(name)} already`, {
    remedy: "Choose another name.",
    exitCode: EXIT.conflict,
  });
}

/** Whether a line was added by a renaming. Braces have no room for the note; there it is the last. */
function isNoted(draft: Draft, { node, block }: Pair): boolean {
  if (!block && node.parent.type === "TOMLInlineTable") return node.parent.body.at(-1) === node;
  const rest = /^.*/.exec(draft.source.text.slice(node.range[1]))?.[0].trim();
  return rest === `# ${KEPT}`;
}
