// What documents say, against what there is: commands, files, links, messages. That the commands do
// what is shown is for documents.live.test.ts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse as parseToml } from "smol-toml";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { catalogue } from "../../cli/catalogue.ts";
import { migrate } from "../../registry/migrate.ts";
import { profileSchema } from "../../registry/profile-schema.ts";
import { overrideSchema, repositorySchema } from "../../registry/project-schema.ts";
import { exampleText, REFERENCE, withReference } from "../../registry/reference.ts";
import { registrySchema } from "../../registry/schema.ts";
import { refusal } from "./commands.ts";
import { anchor, type Block, documents, invocations, ROOT, readDocument } from "./markdown.ts";
import { saidSomewhere } from "./messages.ts";
import { repomanArguments, simpleCommands } from "./shell.ts";

const all = documents();
const each = all.map((document) => [document.name, document] as const);
const named = (name: string) => readDocument(name).lines.join("\n");

describe.each(each)("%s", (name, document) => {
  test("shows commands that exist, with options that they take", async () => {
    const shown = [
      // What is shown to be refused is for the live test.
      ...invocations(document).filter(({ exitCode }) => exitCode !== 2),
      ...document.spans
        .filter(({ text }) => /^(?:eval "\$\()?(?:bin\/)?repoman /.test(text))
        .map(({ text, line }) => ({
          command: text.replace("<command>", "up").replace(/<\w+>/g, "x"),
          line,
        })),
      ...document.blocks
        .filter(({ language }) => language === "crontab")
        .flatMap(({ text, line }) =>
          [...text.matchAll(/\brepoman [^)>|\n]*/g)].map(([command]) => ({
            command: command.replace(/ 2$/, ""),
            line,
          })),
        ),
    ];
    const wrong: string[] = [];
    for (const { command, line } of shown) {
      for (const words of simpleCommands(command)) {
        const args = repomanArguments(words);
        const why = args && (await refusal(args));
        if (why) wrong.push(`${name}:${line}: ${command}: ${why}`);
        const script = words[0] === "npm" && words[1] === "run" ? words[2] : undefined;
        if (script && !Object.hasOwn(scripts(), script)) {
          wrong.push(`${name}:${line}: package.json has no script ${script}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test("links to what is there", () => {
    const wrong = document.links.flatMap(({ target, line }) => {
      if (/^https?:/.test(target)) return [];
      const [path = "", hash] = target.split("#");
      const file = path === "" ? name : relative(ROOT, join(ROOT, dirname(name), path));
      if (!existsSync(join(ROOT, file))) return [`${name}:${line}: ${target} is not there`];
      const anchors = hash === undefined ? [] : readDocument(file).headings.map(anchor);
      return hash === undefined || anchors.includes(hash)
        ? []
        : [`${name}:${line}: ${file} has no heading ${hash}`];
    });
    expect(wrong).toEqual([]);
  });

  test("shows files that repoman takes", () => {
    const wrong = document.blocks.flatMap((block) => {
      const why = refusedFile(block);
      return why ? [`${name}:${block.line}: ${why}`] : [];
    });
    expect(wrong).toEqual([]);
  });

  test("quotes messages that repoman prints", () => {
    const quoted = document.blocks
      .filter(({ language }) => language === "text")
      .flatMap(({ text, line }) =>
        text
          .trim()
          .split("\n")
          .map((each) => ({ text: each, line })),
      );
    const invented = quoted.filter(({ text }) => !saidSomewhere(text));
    expect(invented.map(({ text, line }) => `${name}:${line}: ${text}`)).toEqual([]);
  });

  test("fits a terminal", () => {
    // What commands print is as wide as it is.
    const printed = new Set(
      document.blocks
        .filter(({ language }) => language === "console" || language === "text")
        .flatMap(({ text }) => text.split("\n").filter((line) => !line.startsWith("$ "))),
    );
    const wide = document.lines.flatMap((line, index) =>
      line.length > 110 && !line.startsWith("|") && !printed.has(line)
        ? [`${name}:${index + 1} has ${line.length} columns`]
        : [],
    );
    expect(wide).toEqual([]);
  });
});

test("the registry's reference is what the schema says (`npm run schema` writes it)", () => {
  const text = readFileSync(REFERENCE, "utf8");
  expect(withReference(text)).toBe(text);
});

test("every key of the registry has a meaning and an example, which is a good one", () => {
  const { repoman, host, defaults, project } = registrySchema.shape;
  const tables = {
    repoman: repoman.unwrap().shape,
    host: host.unwrap().shape,
    defaults: defaults.unwrap().shape,
    project: project.unwrap().element.shape,
    mount: project.unwrap().element.shape.mount.unwrap().element.shape,
  };
  for (const [table, shape] of Object.entries(tables)) {
    for (const [key, schema] of Object.entries(shape)) {
      const { description, examples = [] } = schema.meta() ?? {};
      expect(description, `${table}.${key}`).toBeTruthy();
      expect(examples, `${table}.${key}`).not.toEqual([]);
      for (const example of examples as unknown[]) {
        const read = parseToml(exampleText(key, example))[key];
        expect(schema.safeParse(read).error, `${table}.${key}`).toBeUndefined();
      }
    }
  }
});

test("nothing is left out: commands, profiles, settings, and the documents themselves", () => {
  const readme = named("README.md");
  const visible = catalogue.filter(({ hidden }) => !hidden).map(({ name }) => name);
  expect(visible.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  const text = all.map(({ lines }) => lines.join("\n")).join("\n");
  expect(visible.filter((name) => !text.includes(`repoman ${name}`))).toEqual([]);
  const profiles = readdirSync(join(ROOT, "profiles")).map((file) => file.replace(/\.yml$/, ""));
  expect(profiles.filter((name) => !named("docs/profiles.md").includes(`\`${name}\``))).toEqual([]);
  const { config } = parseYaml(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8"));
  const pulumi = named("docs/pulumi.md");
  expect(Object.keys(config).filter((key) => !pulumi.includes(`\`${key}\``))).toEqual([]);
  const index = named("docs/README.md");
  const files = readdirSync(join(ROOT, "docs")).filter((file) => file !== "README.md");
  expect(files.filter((file) => !index.includes(`(${file})`))).toEqual([]);
});

/** Why a block is no file of repoman's. */
function refusedFile({ language, file = "", text }: Block): string | undefined {
  try {
    if (language === "toml") {
      const data = parseToml(text);
      if (/\/repos\.d\//.test(file)) return overrideSchema.safeParse(data).error?.message;
      if (file.endsWith("/.repoman.toml")) return repositorySchema.safeParse(data).error?.message;
      // Takes out of older ones what today's schema does not know.
      migrate(data);
      return registrySchema.safeParse(data).error?.message;
    }
    if (language === "yaml") {
      return profileSchema.safeParse(parseYaml(text, { schema: "failsafe" })).error?.message;
    }
    if (language === "json") JSON.parse(text);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function scripts(): Record<string, string> {
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts;
}
