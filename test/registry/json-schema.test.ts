import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { committed, jsonSchemas, type SchemaName, schemaUrl } from "../../registry/json-schema.ts";

const names = Object.keys(jsonSchemas()) as SchemaName[];

describe("the JSON Schemas for editors", () => {
  it.each(names)("%s is what the code says (`npm run schema` writes it)", (name) => {
    expect(committed(name)).toBe(jsonSchemas()[name]);
  });

  it.each(names)("%s lies where files name it", async (name) => {
    const url = new URL(schemaUrl(name));
    expect(url.protocol).toBe("file:");
    expect(JSON.parse(await readFile(url, "utf8"))).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      title: expect.stringContaining(":"),
      additionalProperties: false,
    });
  });

  it("take dates, and in profiles numbers without quotes", () => {
    const { properties } = JSON.parse(jsonSchemas()["repoman.schema.json"]);
    const { created } = properties.project.items.properties;
    expect(created.type ?? created.anyOf).toBeDefined();
    expect(JSON.stringify(created)).toContain('"string"');
    const profile = JSON.parse(jsonSchemas()["profile.schema.json"]);
    expect(profile.properties.config.additionalProperties.type).toContain("number");
  });
});
