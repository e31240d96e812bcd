import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hostStack } from "../../host/paths.js";
import { hasRegistry } from "../../tools/start.js";

test("a host has a registry at the usual place, or where its stack was told that it is", () => {
  const root = mkdtempSync(join(tmpdir(), "repoman-start-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const usual = join(root, "repoman.toml");
  const follow = (stack: string) =>
    writeFileSync(join(root, `Pulumi.${stack}.yaml`), "config:\n  repoman:registry: /etc/r.toml\n");
  expect(hasRegistry(usual, {}, root)).toBe(false);
  follow("work");
  expect(hasRegistry(usual, {}, root)).toBe(false);
  expect(hasRegistry(usual, { PULUMI_STACK: "work" }, root)).toBe(true);
  follow(hostStack());
  expect(hasRegistry(usual, {}, root)).toBe(true);
  expect(hasRegistry(usual, { PULUMI_STACK: "other" }, root)).toBe(false);
  writeFileSync(usual, "");
  expect(hasRegistry(usual, { PULUMI_STACK: "other" }, root)).toBe(true);
});
