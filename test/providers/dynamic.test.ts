import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { type ProviderFile, providerSource } from "../../providers/dynamic.ts";

// The package that Pulumi's own provider host compiles the stored source with.
const requireFromString = createRequire(
  createRequire(import.meta.url).resolve("@pulumi/pulumi/cmd/dynamic-provider"),
)("require-from-string") as (source: string) => { handler(): Record<string, unknown> };

const FILES: ProviderFile[] = ["backup", "container", "profile", "project"];

test.each(FILES)("what is stored for %s is short and the same everywhere", (file) => {
  const source = providerSource(file);
  expect(source.length).toBeLessThanOrEqual(300);
  expect(source).not.toContain(process.cwd());
});

test.each(FILES)("the installed Pulumi finds the handlers of %s", async (file) => {
  const provider = requireFromString(providerSource(file)).handler();
  expect(Object.keys(provider).sort()).toEqual(
    ["check", "create", "delete", "diff", "read", "update"].sort(),
  );
  // Pulumi calls these only where they exist.
  expect(provider.configure).toBeUndefined();
  const { handlers } = (await import(`../../providers/${file}.ts`)) as { handlers: object };
  expect(Object.keys(handlers).sort()).toEqual(Object.keys(provider).sort());
});
