import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { flatten } from "../../registry/edit/blocks.ts";
import {
  addProject,
  type Edit,
  removeProject,
  renameProject,
  setProject,
  setTable,
} from "../../registry/edit/edits.ts";
import type { ProjectEntry } from "../../registry/project-schema.ts";
import { registries, values, write } from "./edit-styles.ts";

type Data = { project?: ProjectEntry[] } & Record<string, unknown>;

const data = (text: string): Data => parse(text.replace(/^\ufeff/, "")) as Data;

/** Options by their whole names, whichever way they are spelled. */
function plain(entry: ProjectEntry): unknown {
  const options = (table: object) =>
    Object.fromEntries(
      flatten(table as Record<string, unknown>).map(([key, , each]) => [key, each]),
    );
  return JSON.parse(
    JSON.stringify({
      ...entry,
      ...(entry.config && { config: options(entry.config) }),
      ...(entry.device && {
        device: Object.fromEntries(
          Object.entries(entry.device).map(([name, each]) => [name, options(each as object)]),
        ),
      }),
    }),
  );
}

const projectsOf = (text: string) => (data(text).project ?? []).map(plain);
const named = (text: string, name: string) =>
  data(text).project?.findIndex((each) => each.name === name) ?? -1;

const runs = { numRuns: 150 };
const entryOf = (rest: Partial<ProjectEntry>, name: string): ProjectEntry => ({ ...rest, name });

/** The lines of one text that another lacks, each as often as it is there. */
function missing(from: string, other: string): string[] {
  // Without what the first and the last line may have or lack.
  const lines = (text: string) =>
    text
      .replace(/^\ufeff/, "")
      .replaceAll("\r", "")
      .split("\n");
  const left = lines(other);
  return lines(from).filter((line) => {
    const index = left.indexOf(line);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

describe("any registry", { timeout: 120_000 }, () => {
  it("has a project added, with every other line as it was, and taken away again", () => {
    fc.assert(
      fc.property(registries, values, (registry, rest) => {
        const text = write(registry);
        const added = addProject(entryOf(rest, "new-one"))(text);
        expect(projectsOf(added)).toEqual([...projectsOf(text), plain(entryOf(rest, "new-one"))]);
        expect({ ...data(added), project: 0 }).toEqual({ ...data(text), project: 0 });
        expect(missing(text, added)).toEqual([]);
        expect(removeProject("new-one")(added)).toBe(text);
      }),
      runs,
    );
  });

  it("loses a project, and keeps all others", () => {
    fc.assert(
      fc.property(registries, fc.nat(), (registry, pick) => {
        fc.pre(registry.projects.length > 0);
        const text = write(registry);
        const name = registry.projects[pick % registry.projects.length]?.entry.name ?? "";
        const after = removeProject(name)(text);
        const others = projectsOf(text).toSpliced(named(text, name), 1);
        expect(projectsOf(after)).toEqual(others);
        expect({ ...data(after), project: 0 }).toEqual({ ...data(text), project: 0 });
        expect(missing(after, text).filter((line) => line !== "")).toEqual([]);
      }),
      runs,
    );
  });

  it("has a project renamed, and back", () => {
    fc.assert(
      fc.property(registries, fc.nat(), (registry, pick) => {
        fc.pre(registry.projects.length > 0);
        const text = write(registry);
        const { entry } = registry.projects[pick % registry.projects.length] ?? {};
        const name = entry?.name ?? "";
        const after = renameProject(name, "other-name")(text);
        const index = named(text, name);
        expect(projectsOf(after)).toEqual(
          projectsOf(text).with(index, {
            ...(projectsOf(text)[index] as object),
            name: "other-name",
            repo: entry?.repo ?? name,
          }),
        );
        expect(renameProject("other-name", name)(after)).toBe(text);
        // By way of a third name.
        const third = renameProject("other-name", "third-name")(after);
        expect(renameProject("third-name", name)(third)).toBe(text);
      }),
      runs,
    );
  });

  it("has keys that were not there set, and taken away again", () => {
    fc.assert(
      fc.property(registries, values, fc.nat(), (registry, rest, pick) => {
        fc.pre(registry.projects.length > 0);
        const text = write(registry);
        const { entry } = registry.projects[pick % registry.projects.length] ?? {};
        const name = entry?.name ?? "";
        const fresh = Object.fromEntries(
          Object.entries(rest).filter(([key]) => !Object.hasOwn(entry ?? {}, key)),
        );
        const after = setProject(name, fresh)(text);
        const index = named(text, name);
        expect(projectsOf(after)).toEqual(
          projectsOf(text).with(
            index,
            plain({ ...data(text).project?.[index], ...fresh } as ProjectEntry),
          ),
        );
        const gone = Object.fromEntries(Object.keys(fresh).map((key) => [key, undefined]));
        expect(setProject(name, gone)(after)).toBe(text);
      }),
      runs,
    );
  });

  it("has keys set to something else, and back, each value in the style that it had", () => {
    fc.assert(
      fc.property(registries, values, fc.nat(), (registry, rest, pick) => {
        fc.pre(registry.projects.length > 0);
        const text = write(registry);
        const { entry } = registry.projects[pick % registry.projects.length] ?? {};
        const name = entry?.name ?? "";
        const index = named(text, name);
        const old = data(text).project?.[index] as Record<string, unknown>;
        // Same keys and as many elements: what is removed takes its spelling with it.
        const like = (a: unknown, b: unknown): unknown => {
          if (Array.isArray(a) && Array.isArray(b)) {
            // A value that the list has elsewhere would be that one, moved.
            return a.map((each, i) => (a.includes(b[i]) ? each : like(each, b[i])));
          }
          if (typeof a === "object" && a !== null) {
            return Object.fromEntries(
              Object.entries(a).map(([key, each]) => [
                key,
                like(each, (b as Record<string, unknown>)?.[key]),
              ]),
            );
          }
          return typeof a === typeof b && !/['\t]/.test(String(b)) ? b : a;
        };
        const next = Object.fromEntries(
          Object.entries(rest)
            .filter(([key]) => Object.hasOwn(old, key))
            .map(([key, each]) => [key, like(old[key], each)]),
        );
        const after = setProject(name, next)(text);
        expect(projectsOf(after)[index]).toEqual(plain({ ...old, ...next } as ProjectEntry));
        const back = Object.fromEntries(Object.keys(next).map((key) => [key, old[key]]));
        const again = setProject(name, back)(after);
        expect(again.split("\n").length).toBe(text.split("\n").length);
        expect(projectsOf(again)).toEqual(projectsOf(text));
        expect(again).toBe(text);
      }),
      runs,
    );
  });

  it("has keys of its own tables set, and taken away again", () => {
    const wanted = fc.record(
      {
        host: fc.ipV4(),
        default_image: fc.constantFrom("a", "b'c"),
        schema: fc.constantFrom(2, 3),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(registries, wanted, (registry, { host, default_image, schema }) => {
        const text = write(registry);
        const before = data(text) as { host?: { lan_ip?: string }; repoman?: { schema?: number } };
        const tables: [Parameters<typeof setTable>[0], string, unknown, unknown][] = [];
        if (host) tables.push(["host", "lan_ip", host, before.host?.lan_ip]);
        if (default_image) tables.push(["defaults", "default_image", default_image, undefined]);
        if (schema) tables.push(["repoman", "schema", schema, before.repoman?.schema]);
        let after = text;
        for (const [table, key, value] of tables) after = setTable(table, { [key]: value })(after);
        expect(projectsOf(after)).toEqual(projectsOf(text));
        for (const [table, key, value] of tables) {
          expect((data(after)[table] as Record<string, unknown>)[key]).toEqual(value);
        }
        for (const [table, key, , old] of tables.reverse()) {
          after = setTable(table, { [key]: old })(after);
        }
        expect(after).toBe(text);
      }),
      runs,
    );
  });

  it("takes any sequence of edits, and says after each what it should", () => {
    const step = fc.oneof(
      values.map((rest) => ({ add: rest })),
      fc.nat().map((pick) => ({ remove: pick })),
      fc.nat().map((pick) => ({ rename: pick })),
      fc.tuple(fc.nat(), values, fc.boolean()).map(([set, to, away]) => ({ set, to, away })),
    );
    fc.assert(
      fc.property(registries, fc.array(step, { maxLength: 8 }), (registry, steps) => {
        let text = write(registry);
        let model = data(text).project ?? [];
        const others = { ...data(text), project: 0 };
        steps.forEach((each, count) => {
          const pick = (n: number) => (model.length > 0 ? n % model.length : -1);
          const name = (n: number) => model[pick(n)]?.name ?? "";
          let edit: Edit = (same) => same;
          if ("add" in each) {
            const entry = entryOf(each.add, `added-${count}`);
            edit = addProject(entry);
            model = [...model, entry];
          } else if (model.length === 0) return;
          else if ("remove" in each) {
            edit = removeProject(name(each.remove));
            model = model.toSpliced(pick(each.remove), 1);
          } else if ("rename" in each) {
            const index = pick(each.rename);
            const old = model[index] as ProjectEntry;
            edit = renameProject(old.name, `renamed-${count}`);
            model = model.with(index, {
              ...old,
              repo: old.repo ?? old.name,
              name: `renamed-${count}`,
            });
          } else {
            const index = pick(each.set);
            const old = model[index] as ProjectEntry;
            const to = each.away
              ? Object.fromEntries(Object.keys(each.to).map((key) => [key, undefined]))
              : each.to;
            edit = setProject(old.name, to);
            model = model.with(index, { ...old, ...to } as ProjectEntry);
          }
          text = edit(text);
          expect(projectsOf(text)).toEqual(model.map(plain));
          expect({ ...data(text), project: 0 }).toEqual(others);
        });
      }),
      runs,
    );
  });
});
