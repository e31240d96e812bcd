import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dependenciesReady } from "../../tools/dependencies.js";
import { put, tempFolder } from "./temp.ts";

const LOCK = {
  "": { name: "repoman" },
  "node_modules/yaml": { version: "2.9.1", integrity: "sha512-a" },
  "node_modules/only-darwin": { version: "1.0.0", integrity: "sha512-b", optional: true },
};
const { "node_modules/yaml": yaml } = LOCK;

function checkout(present: object | undefined): string {
  const root = tempFolder();
  put(join(root, "package-lock.json"), JSON.stringify({ packages: LOCK }));
  mkdirSync(join(root, "node_modules/yaml"), { recursive: true });
  if (present) {
    put(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages: present }));
  }
  return root;
}

describe("node_modules", () => {
  test("is ready when it holds what the lock file names for this machine", () => {
    expect(dependenciesReady(checkout({ "node_modules/yaml": yaml }))).toBe(true);
  });

  test.each([
    ["an install was cut off", undefined],
    ["a version is another", { "node_modules/yaml": { ...yaml, version: "2.8.0" } }],
    ["a hash is another", { "node_modules/yaml": { ...yaml, integrity: "sha512-z" } }],
    ["a package is missing", {}],
    [
      "something was added by hand",
      { "node_modules/yaml": yaml, "node_modules/left-pad": { version: "1.0.0" } },
    ],
    [
      "a folder was removed by hand",
      { "node_modules/yaml": yaml, "node_modules/only-darwin": LOCK["node_modules/only-darwin"] },
    ],
  ])("is not when %s", (_, present) => {
    expect(dependenciesReady(checkout(present))).toBe(false);
  });
});
