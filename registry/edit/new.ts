import type * as z from "zod";
import { schemaUrl } from "../json-schema.ts";
import { type RegistryFile, registrySchema } from "../schema.ts";
import { blockLines } from "./blocks.ts";
import { keyText, valueText } from "./values.ts";

const WIDTH = 90;

/**
 * The text of a new registry: what was given, each key below its meaning, and the more useful ones
 * of the others commented out.
 */
export function newRegistry(values: RegistryFile): string {
  const lines = [
    `#:schema ${schemaUrl("repoman.schema.json")}`,
    "# The registry of repoman: which repositories have a container and a backup.",
    "# `repoman preview` shows what follows from it, `repoman up` makes it so.",
  ];
  const tables = {
    repoman: { schema: 3, ...values.repoman },
    host: values.host,
    defaults: values.defaults,
  };
  for (const [name, table] of Object.entries(tables)) {
    lines.push("", `[${name}]`, ...tableLines(name as keyof typeof tables, table ?? {}));
  }
  for (const entry of values.project ?? []) {
    lines.push("", ...blockLines(["project"], entry, true));
  }
  return `${lines.join("\n")}\n`;
}

/** Shown though they are not set: what a user is likely to look for. */
const OFFERED: readonly string[] = ["backup_root", "default_image", "profiles"];

function tableLines(
  name: "repoman" | "host" | "defaults",
  values: Record<string, unknown>,
): string[] {
  const shape = (registrySchema.shape[name].unwrap() as z.ZodObject).shape as Record<
    string,
    z.ZodType
  >;
  return Object.entries(shape).flatMap(([key, schema]) => {
    const value = values[key];
    const meaning = wrap(schema.description ?? "").map((line) => `# ${line}`);
    if (value !== undefined) return [...meaning, `${keyText(key)} = ${valueText(value)}`];
    if (!OFFERED.includes(key)) return [];
    const standard = schema.meta()?.default;
    return [...meaning, `# ${key} = ${standard === undefined ? '"…"' : valueText(standard)}`];
  });
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines;
}
