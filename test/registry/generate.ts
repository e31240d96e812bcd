import fc from "fast-check";

/** A project as keys and values of TOML, and the keys that are wrong. */
export interface Planted {
  fields: [key: string, value: string][];
  wrong: string[];
}

/** A TOML basic string. */
export function quoted(text: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML wants them escaped
  return `"${text.replace(/["\\]/g, "\\$&").replace(/[\u0000-\u001f\u007f]/g, escaped)}"`;
}

const name = fc
  .stringMatching(/^[A-Za-z]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?$/)
  .filter((each) => each.length <= 63);

/** A file name that is no navigation, of any script. */
const part = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((each) => !/[/\0]/.test(each) && !/^\.{1,2}$/.test(each) && each.trim() !== "");

const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);

const scalar = fc.oneof(
  fc.stringMatching(/^[a-z0-9 ="'\\]{1,12}$/).map(quoted),
  fc.integer().map(String),
  fc.boolean().map(String),
);

const list = (items: string[]): string => `[${items.map(quoted).join(", ")}]`;

/** Fields that are right in any project; `index` keeps apart what must not be shared. */
const rest = (index: number) =>
  fc.record(
    {
      image: fc.constantFrom("images:debian/12/cloud", "local", "0123abcd").map(quoted),
      description: fc.stringMatching(/^[ -~]{0,20}$/).map(quoted),
      profiles: fc
        .uniqueArray(fc.stringMatching(/^[a-z][a-z-]{0,8}[a-z]$/), { maxLength: 4 })
        .map(list),
      enabled: fc.boolean().map(String),
      backup: fc.boolean().map(String),
      backup_max_age: fc.constantFrom('"24h"', '"7d"', '"90m"', '"1w2d"'),
      ports: fc
        .constantFrom<string[]>([], [`${1000 + index}`], [`${1000 + index}:1/udp`])
        .map(list),
      env: scalar.map((each) => `{ A = ${each}, "B" = 1 }`),
      "config.limits.memory": fc.constantFrom('"1GiB"', "5", "true"),
      '"config".user."a-b"': scalar,
      // Away from the repository, which is in /repos.
      mount: fc
        .tuple(path, path)
        .map(([from, to]) => `[{ source = ${quoted(from)}, path = ${quoted(`/m${to}`)} }]`),
      "device.gpu0.type": fc.constant('"gpu"'),
    },
    { requiredKeys: [] },
  );

/** Projects without a fault, with names and repositories of their own. */
export const projects: fc.Arbitrary<Planted[]> = fc
  .uniqueArray(name, { maxLength: 12, selector: (each) => each.toLowerCase() })
  .chain((names) =>
    fc.tuple(
      ...names.map((each, index) =>
        fc.tuple(rest(index), fc.option(part, { nil: "" })).map(([fields, repo]) => ({
          fields: Object.entries({
            name: quoted(each),
            // The number keeps one from lying in another.
            repo: quoted(`r${index} ${repo}`.trim()),
            ...fields,
          }) as [string, string][],
          wrong: [],
        })),
      ),
    ),
  );

/** Puts a value in the place of a key, or after the others. */
function set(project: Planted, key: string, value: string): Planted {
  const at = project.fields.findIndex(([each]) => each === key);
  const fields = [...project.fields];
  fields.splice(at < 0 ? fields.length : at, at < 0 ? 0 : 1, [key, value]);
  return { ...project, fields };
}

const wrong =
  (key: string, value: string | ((first: Planted) => string)) =>
  (project: Planted, first: Planted): Planted => ({
    ...set(project, key, typeof value === "string" ? value : value(first)),
    wrong: [...project.wrong, key],
  });

const of = (key: string) => (first: Planted) =>
  first.fields.find(([each]) => each === key)?.[1] ?? '"x"';

/** What can be wrong in a project other than the first, which others copy. */
export const faults: Record<string, (project: Planted, first: Planted) => Planted> = {
  "a bad name": wrong("name", '"a; rm -rf ~"'),
  "the first one's name": wrong("name", of("name")),
  "the first one's repository": wrong("repo", of("repo")),
  "a repository in the first one's": wrong("repo", (first) =>
    of("repo")(first).replace(/"$/, '/x/../y"'),
  ),
  "a repository outside": wrong("repo", '"../../x"'),
  "an unknown key": wrong("colour", "1"),
  "a wrong type": wrong("hermes", "[]"),
  "a bad image": wrong("image", '"-x"'),
  "a bad profile": wrong("profiles", '["default", "a/b"]'),
  "a bad port": wrong("ports", '["x"]'),
  "a bad target": wrong("target", '"$(id)"'),
  "a bad entry to ignore": wrong("ignore", '["limits.cpu", "-rf"]'),
  "a reserved key": wrong("config.volatile.uuid", "1"),
  "a bad variable": wrong("env", '{ "A B" = 1 }'),
  "a device without a type": wrong("device.typeless.id", "1"),
  "a mount in the repository": (project, first) =>
    wrong("mount", '[{ source = "/x", path = "/p/inside" }]')(set(project, "path", '"/p"'), first),
};

/** Plants faults in a project; of two in one key the later one takes the earlier one's place. */
export function spoil(project: Planted, chosen: readonly string[], first: Planted): Planted {
  const spoiled = chosen.reduce((each, fault) => faults[fault]?.(each, first) ?? each, project);
  const wrong = new Set(spoiled.wrong);
  // The whole first entry once more is reported as its name.
  if (["name", "repo"].every((key) => of(key)(spoiled) === of(key)(first))) wrong.delete("repo");
  return { ...spoiled, wrong: [...wrong] };
}

/** A registry as text, and the lines (1-based) that are wrong. */
export function render(list: Planted[]): { text: string; wrong: number[] } {
  const lines = ["[defaults]", 'repos_root = "/repos"', 'backup_root = "/backup"'];
  const bad: number[] = [];
  for (const { fields, wrong } of list) {
    lines.push("", "[[project]] # one more");
    for (const [key, value] of fields) {
      lines.push(`${key} = ${value}`);
      if (wrong.includes(key)) bad.push(lines.length);
    }
  }
  return { text: `${lines.join("\n")}\n`, wrong: bad };
}
