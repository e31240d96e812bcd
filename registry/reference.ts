// What docs/registry.md says of every table and key: made of the schemas that the files are checked
// with, so that it cannot say anything else. `npm run schema` writes it anew.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyText, valueText } from "./edit/values.ts";
import { jsonSchemas } from "./json-schema.ts";

export const REFERENCE = join(import.meta.dirname, "..", "docs", "registry.md");

const BEGIN = "<!-- made from registry/schema.ts: change that, then `npm run schema` -->";
const END = "<!-- end of what is made -->";
const WIDTH = 100;

/** The part of a JSON Schema that is read here. */
interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  examples?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: Schema | false;
}

/** Keys of a project that go by a key of `[defaults]` where they are not set. */
const FALLS_BACK: Readonly<Record<string, string>> = { image: "default_image" };

/** The document, with what is made put between its marks. */
export function withReference(document: string): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${REFERENCE} has lost its marks ${BEGIN}, ${END}`);
  return `${before}${BEGIN}\n\n${reference()}\n${END}${after}`;
}

export function writeReference(): void {
  writeFileSync(REFERENCE, withReference(readFileSync(REFERENCE, "utf8")));
}

/** Every table with its keys. */
export function reference(): string {
  const texts = jsonSchemas();
  const registry: Schema = JSON.parse(texts["repoman.schema.json"]);
  const override: Schema = JSON.parse(texts["override.schema.json"]);
  const repository: Schema = JSON.parse(texts["repository.schema.json"]);
  const { repoman, host, defaults, project } = registry.properties ?? {};
  const projects = project?.items ?? {};
  const mount = projects.properties?.mount?.items ?? {};
  return [
    table("`[repoman]`", repoman),
    table("`[host]`", host),
    table("`[defaults]`", defaults),
    table("`[[project]]`", projects, defaults),
    table("`[[project.mount]]`", mount),
    files(projects, override, repository),
  ].join("\n");
}

function table(title: string, schema: Schema = {}, defaults?: Schema): string {
  const keys = Object.entries(schema.properties ?? {}).map(([key, value]) =>
    item(key, value, schema.required?.includes(key) ?? false, defaults),
  );
  return `### ${title}\n\n${wrap(schema.description ?? "")}\n\n${keys.join("\n")}\n`;
}

function item(key: string, schema: Schema, required: boolean, defaults?: Schema): string {
  const general = FALLS_BACK[key] ?? key;
  const unset = required
    ? "required"
    : defaults?.properties?.[general]
      ? `else \`${general}\` of \`[defaults]\``
      : schema.default === undefined
        ? "not set by default"
        : `default \`${valueText(schema.default)}\``;
  const head = `**\`${key}\`**: ${typeOf(schema)}, ${unset}. ${schema.description ?? ""}`;
  const examples = (schema.examples ?? []).map((each) => `\`${exampleText(key, each)}\``);
  return wrap(`${head} Example: ${examples.join(", ")}`, "- ");
}

/** A key with a value, as it may stand in the file. */
export function exampleText(key: string, value: unknown): string {
  return `${keyText(key)} = ${valueText(value)}`;
}

function typeOf({ type, anyOf, items, additionalProperties, allOf, properties }: Schema): string {
  if (anyOf) return anyOf.map(typeOf).join(" or ");
  if (type === "array") return items?.properties ? "tables" : "list of strings";
  if (type === "boolean") return "true or false";
  if (type === "number") return "whole number";
  if (type === "object" || allOf)
    return properties ? "table" : `table of ${values(additionalProperties)}`;
  return "string";
}

function values(schema: Schema | false | undefined): string {
  return schema && Array.isArray(schema.type) ? "strings, numbers, true or false" : "Incus options";
}

/** What the other two files take of a project's keys. */
function files(project: Schema, override: Schema, repository: Schema): string {
  const all = Object.keys(project.properties ?? {});
  const list = (schema: Schema) =>
    Object.keys(schema.properties ?? {})
      .map((key) => `\`${key}\``)
      .join(", ");
  const missing = all.filter((key) => !Object.hasOwn(override.properties ?? {}, key));
  const names = missing.map((key) => `\`${key}\``).join(", ");
  return [
    "### `repos.d/<name>.toml`",
    "",
    wrap(
      `${override.description} It takes the keys of \`[[project]]\` at its top level, all but ${names}.`,
    ),
    "",
    "### `.repoman.toml` in a repository",
    "",
    wrap(`${repository.description} It takes these keys of \`[[project]]\`: ${list(repository)}.`),
    "",
  ].join("\n");
}

function wrap(text: string, bullet = ""): string {
  const indent = " ".repeat(bullet.length);
  const lines: string[] = [];
  // A code span is not broken: what is copied from it has to be whole.
  for (const word of text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(`${lines.length === 0 ? bullet : indent}${word}`);
  }
  return lines.join("\n");
}
