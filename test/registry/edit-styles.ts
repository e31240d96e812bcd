import fc from "fast-check";
import type { ProjectEntry } from "../../registry/project-schema.ts";
import { quoted } from "./generate.ts";

/** How a user may have spelled out a project. */
export interface Style {
  /** `'x'` in the place of `"x"` where it fits. */
  literal: boolean;
  tables: "headers" | "dotted" | "inline";
  /** `a.b = 1` in the place of `"a.b" = 1`. */
  undotted: boolean;
  list: "line" | "lines" | "comma";
  /** Spaces before the signs, so that they stand in one column. */
  aligned: boolean;
  indent: string;
  comments: boolean;
  /** Blank lines between projects. */
  blanks: number;
}

export const styles: fc.Arbitrary<Style> = fc.record({
  literal: fc.boolean(),
  tables: fc.constantFrom("headers", "dotted", "inline"),
  undotted: fc.boolean(),
  list: fc.constantFrom("line", "lines", "comma"),
  aligned: fc.boolean(),
  indent: fc.constantFrom("", "  ", "\t"),
  comments: fc.boolean(),
  blanks: fc.nat(2),
});

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
/** Also what has to be escaped, and quotes of the other kind. */
const text = fc.oneof(word, fc.constantFrom("it's", 'a "b"', "c\\d", "é😀", "", " x ", "\ttab"));
const words = (least: number) => fc.uniqueArray(word, { minLength: least, maxLength: 4 });

/** Any values that a project may have; `name` apart. */
export const values = fc.record(
  {
    repo: word,
    description: text,
    image: word,
    profiles: words(0),
    ports: words(1).map((list) => list.map((_, index) => `${3000 + index}`)),
    backup: fc.boolean(),
    enabled: fc.boolean(),
    ignore: words(0).map((list) => list.map((each) => `device:${each}`)),
    env: fc.dictionary(word, fc.oneof(text, fc.nat(), fc.boolean()), { minKeys: 1, maxKeys: 3 }),
    config: fc.dictionary(
      fc.constantFrom("limits.memory", "limits.cpu", "limits.cpu.allowance", "user.note"),
      text,
      { minKeys: 1 },
    ),
    device: fc.dictionary(
      fc.constantFrom("gpu0", "eth1"),
      fc.record({ type: word, "ipv4.address": text }, { requiredKeys: ["type"] }),
      { minKeys: 1 },
    ),
    mount: fc.array(
      fc.record({ source: word, path: word, readonly: fc.boolean() }, { requiredKeys: ["source"] }),
      { minLength: 1, maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<ProjectEntry>>;

export interface Styled {
  entry: ProjectEntry;
  style: Style;
}

export const registries = fc.record({
  projects: fc
    .uniqueArray(word, { maxLength: 5 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc.record({ entry: values.map((rest) => ({ ...rest, name })), style: styles }),
        ),
      ),
    ) as fc.Arbitrary<Styled[]>,
  head: fc.constantFrom(
    "",
    "# My registry\n",
    "#:schema x\n\n",
    "\n[repoman]\nschema = 3\n",
    "# one\n\n# two\n[host]\nlan_ip = ''\n\n[defaults] # all\nprofiles = [ 'a', \"b\" ] # both\n",
    "defaults.repos_root = '/r'\nhost = { lan_ip = \"\" }\n",
  ),
  foot: fc.constantFrom("", "\n", "\n\n# The end.\n", "# image = 'x'\n", "\n# vim: ts=4\n\n\n"),
  crlf: fc.boolean(),
  bom: fc.boolean(),
  /** Whether the last line has its end. */
  ended: fc.boolean(),
});

export type Generated = typeof registries extends fc.Arbitrary<infer T> ? T : never;

/** The text of a registry. */
export function write({ projects, head, foot, crlf, bom, ended }: Generated): string {
  const parts = projects.map(({ entry, style }) => project(entry, style));
  let whole = head + parts.join("") + foot;
  if (!ended) whole = whole.replace(/\n+$/, "");
  if (crlf) whole = whole.replaceAll("\n", "\r\n");
  return bom ? `\ufeff${whole}` : whole;
}

function project(entry: ProjectEntry, style: Style): string {
  const { env, config, device, mount, ...plain } = entry;
  const lines: [string, string][] = Object.entries(plain).map(([key, each]) => [
    key,
    value(each, style),
  ]);
  const blocks: string[] = [];
  const block = (header: string, table: object) => {
    const pairs = Object.entries(table).map(
      ([key, each]) => [keyOf(key, style, table), value(each, style)] as [string, string],
    );
    blocks.push(
      `${style.comments ? "\n# A table.\n" : ""}${style.indent}${header}\n${pairs.map(([key, each]) => `${style.indent}${key} = ${each}\n`).join("")}`,
    );
  };
  for (const [name, table] of Object.entries({ env, config })) {
    if (!table) continue;
    if (style.tables === "headers") block(`[project.${name}]`, table);
    else if (style.tables === "inline") lines.push([name, value(table, style)]);
    else {
      for (const [key, each] of Object.entries(table)) {
        lines.push([`${name}.${keyOf(key, style, table)}`, value(each, style)]);
      }
    }
  }
  if (device) {
    if (style.tables === "inline") lines.push(["device", value(device, style)]);
    for (const [name, table] of Object.entries(device)) {
      if (style.tables === "headers") block(`[project.device.${name}]`, table);
      if (style.tables !== "dotted") continue;
      for (const [key, each] of Object.entries(table)) {
        lines.push([`device.${name}.${keyOf(key, style, table)}`, value(each, style)]);
      }
    }
  }
  for (const each of mount ?? []) {
    if (style.tables === "headers") block("[[project.mount]]", each);
  }
  if (mount && style.tables !== "headers") lines.push(["mount", value(mount, style)]);
  const width = style.aligned ? Math.max(...lines.map(([key]) => key.length)) : 0;
  const rows = lines.map(([key, each], index) => {
    const comment = style.comments && index % 2 === 0 ? " # why" : "";
    return `${style.indent}${key.padEnd(width)} = ${each}${comment}\n`;
  });
  const title = style.comments ? "# A project.\n" : "";
  return `${"\n".repeat(style.blanks)}${title}[[project]]\n${rows.join("")}${blocks.join("")}`;
}

/** `limits.cpu` cannot be both a value and a table. */
function keyOf(key: string, style: Style, table: object): string {
  if (!key.includes(".")) return key;
  const clash = Object.keys(table).some(
    (other) =>
      other !== key && (`${other}.`.startsWith(`${key}.`) || `${key}.`.startsWith(`${other}.`)),
  );
  return style.undotted && !clash ? key : quoted(key);
}

function value(each: unknown, style: Style): string {
  if (typeof each === "string") {
    return style.literal && !/['\n]/.test(each)
      ? `'${each}'`
      : quoted(each).replace("\\u0009", "\\t");
  }
  if (Array.isArray(each)) {
    const items = each.map((item) => value(item, style));
    if (items.length === 0 || style.list === "line") return `[${items.join(", ")}]`;
    const rows = items.map((item) => `    ${item}`);
    return `[\n${rows.join(",\n")}${style.list === "comma" ? "," : ""}\n${style.indent}]`;
  }
  if (typeof each === "object" && each !== null) {
    const pairs = Object.entries(each).map(
      ([key, item]) => `${keyOf(key, style, each)} = ${value(item, { ...style, list: "line" })}`,
    );
    return `{ ${pairs.join(", ")} }`;
  }
  return String(each);
}
