// What the files look like, for editors: the same schemas that repoman checks them with, as JSON
// Schemas in the folder schema/. `npm run schema` writes them anew.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { profileSchema } from "./profile-schema.ts";
import { overrideSchema, repositorySchema } from "./project-schema.ts";
import { registrySchema } from "./schema.ts";

const FOLDER = join(import.meta.dirname, "..", "schema");

const SCHEMAS = {
  "repoman.schema.json": ["repoman.toml: the registry of repoman", registrySchema],
  "override.schema.json": ["repos.d/<name>.toml: overrides of one project", overrideSchema],
  "repository.schema.json": [".repoman.toml: what a repository asks for", repositorySchema],
  "profile.schema.json": ["profiles.d/<name>.yml: a profile of repoman", profileSchema],
} as const;

export type SchemaName = keyof typeof SCHEMAS;

/** Where an editor on this host finds a schema: a URL, since that is what all of them take. */
export function schemaUrl(name: SchemaName): string {
  return new URL(`../schema/${name}`, import.meta.url).href;
}

/** The text of every schema by file name. */
export function jsonSchemas(): Record<SchemaName, string> {
  const entries = Object.entries(SCHEMAS).map(([name, [title, schema]]) => {
    const { $schema, ...rest } = z.toJSONSchema(schema, {
      // The newest that the editors' own readers of TOML and YAML all know.
      target: "draft-7",
      io: "input",
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => {
        const { type } = zodSchema._zod.def;
        if (type === "bigint") Object.assign(jsonSchema, { type: "integer" });
        // Editors hand dates on as text.
        if (type === "date") Object.assign(jsonSchema, { type: "string" });
        // In YAML a number needs no quotes to be read as text.
        if (schema === profileSchema && type === "string" && !jsonSchema.description) {
          Object.assign(jsonSchema, { type: ["string", "number", "boolean"] });
        }
      },
    });
    // That keys are text goes without saying.
    const said = (key: string, value: unknown) => (key === "propertyNames" ? undefined : value);
    return [name, `${JSON.stringify({ $schema, title, ...rest }, said, 2)}\n`] as const;
  });
  return Object.fromEntries(entries) as Record<SchemaName, string>;
}

/** The committed text of a schema. */
export function committed(name: SchemaName): string {
  return readFileSync(join(FOLDER, name), "utf8");
}

export function writeSchemas(): void {
  for (const [name, text] of Object.entries(jsonSchemas())) {
    writeFileSync(join(FOLDER, name), text);
  }
}
