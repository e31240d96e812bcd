// Where things are, and who knows of whom: what CONTRIBUTING.md says of the folders is what they do.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const PROGRAM = ["index.ts", "settings.ts", "lean.ts"];

/** Programs that start what lies above their folder. */
const ENTRANCES: Record<string, string> = {
  "tools/start.js": "example",
  "tools/install-cli.js": "cli",
  "tools/machine.js": "test",
};

interface Import {
  from: string;
  to: string;
  /** Nothing of it is there when the program runs. */
  typeOnly: boolean;
}

/** What the table says: folder → folders. */
function declared(): Map<string, string[]> {
  const rows = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8").matchAll(
    /^\| `([a-z.]+)\/?` +\|[^|]*\| *([a-z][a-z, ]*?) *\|$/gm,
  );
  return new Map(
    [...rows].map(([, folder = "", list = ""]) => [
      folder,
      list === "none" ? [] : list.split(", "),
    ]),
  );
}

const TABLE = declared();
const FILES = [
  ...PROGRAM,
  ...[...TABLE.keys(), "test", "example"]
    .filter((folder) => !folder.includes("."))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((file) => /\.(ts|js)$/.test(file)),
];

/** Static ones, dynamic ones, and those in a type: all name a file beginning with a dot. */
const SPECIFIER =
  /(?:\b(import|export)\s+(type\s)?[^"';()]*?\bfrom\s*|\bimport\s*(\()?\s*)["'](\.{1,2}\/[^"']+)["']/g;

const IMPORTS: Import[] = FILES.flatMap((from) => {
  const text = readFileSync(join(ROOT, from), "utf8");
  return [...text.matchAll(SPECIFIER)].flatMap(([, , type, , specifier = ""]) => {
    const to = join(dirname(from), specifier);
    return existsSync(join(ROOT, to)) ? [{ from, to, typeOnly: type !== undefined }] : [];
  });
});

const folderOf = (file: string) => {
  if (PROGRAM.includes(file)) return "index.ts";
  return file.slice(0, file.indexOf("/"));
};
const told = ({ from, to }: Import) => `${from} imports ${to}`;

test("the table names what is there", () => {
  expect([...TABLE.keys()]).toEqual(
    expect.arrayContaining(["index.ts", "components", "survey", "providers", "registry", "incus"]),
  );
  expect([...TABLE.keys()]).toEqual(expect.arrayContaining(["rsync", "cli", "tools", "host"]));
  expect(IMPORTS.length).toBeGreaterThan(1000);
  const said = [...TABLE].flatMap(([folder, list]) => list.map((to) => `${folder} → ${to}`));
  const done = new Set(IMPORTS.map(({ from, to }) => `${folderOf(from)} → ${folderOf(to)}`));
  expect(
    said.filter((edge) => !done.has(edge)),
    "nobody imports so",
  ).toEqual([]);
});

test("imports between folders go as the table says, and one way", () => {
  const strange = IMPORTS.filter(({ from, to }) => {
    const [own, other] = [folderOf(from), folderOf(to)];
    if (own === other || own === "test" || own === "example") return false;
    return !TABLE.get(own)?.includes(other) && ENTRANCES[from] !== other;
  });
  expect(strange.map(told)).toEqual([]);
  expect(circles([...TABLE].flatMap(([from, list]) => list.map((to) => [from, to])))).toEqual([]);
});

test("components only know what facts and backups look like", () => {
  const real = IMPORTS.filter(
    ({ from, to, typeOnly }) =>
      folderOf(from) === "components" &&
      ["survey", "registry", "rsync"].includes(folderOf(to)) &&
      !typeOnly,
  );
  expect(real.map(told)).toEqual([]);
});

test("no command imports another, and nobody else one but the catalogue", () => {
  const strange = IMPORTS.filter(
    ({ from, to }) => to.startsWith("cli/commands/") && from !== "cli/catalogue.ts",
  ).filter(({ from }) => folderOf(from) !== "test");
  expect(strange.map(told)).toEqual([]);
});

test("no files import each other in a circle, not even types", () => {
  expect(circles(IMPORTS.map(({ from, to }) => [from, to]))).toEqual([]);
});

/** The first circle that is found from each file which is in one, as a chain. */
function circles(edges: readonly (readonly string[])[]): string[] {
  const next = new Map<string, string[]>();
  for (const [from = "", to = ""] of edges) {
    if (from !== to) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: string[]) => {
    const at = way.indexOf(file);
    if (at >= 0) found.push([...way.slice(at), file].join(" → "));
    if (at >= 0 || done.has(file)) return;
    for (const to of next.get(file) ?? []) walk(to, [...way, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return found;
}

test("a circle would be found, and so would every way to write an import", () => {
  expect(circles([["a", "b"], ["b", "c"], ["c", "b"]])).toEqual(["b → c → b"]); // biome-ignore format: as short
  const text = `
import { a } from "./a.ts";
import type { B } from "./b.ts";
import {
  type C,
  d,
} from "../c.ts";
import "./e.js";
export { f } from "./f.ts";
export type { G } from './g.ts';
const h = await import("./h.ts");
type I = import("./i.ts").I;
import j from "node:fs"; import k from "yaml"; const l = "./l.ts";
`;
  const found = [...text.matchAll(SPECIFIER)].map(([, , type, , to]) =>
    `${to}${type ?? ""}`.trim(),
  );
  expect(found).toEqual([
    "./a.ts",
    "./b.tstype",
    "../c.ts",
    "./e.js",
    "./f.ts",
    "./g.tstype",
    "./h.ts",
    "./i.ts",
  ]);
});
