import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chosenNode } from "../../tools/node.js";
import { ROOT } from "../../tools/toolchain.js";
import { isAtLeast, OLDEST_NODE, parseVersion, pinned } from "../../tools/versions.js";
import { put, tempFolder } from "./temp.ts";

describe("versions", () => {
  test.each([
    ["v3.258.0", [3, 258, 0]],
    ["go version go1.26.8 linux/amd64", [1, 26, 8]],
    ["go version go1.21 linux/arm64", [1, 21, 0]],
    ["3.259.0-alpha.1+dirty", [3, 259, 0]],
    ["nonsense", undefined],
  ])("%s is read", (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  test("are compared as numbers, part by part", () => {
    expect(isAtLeast("22.18.0", OLDEST_NODE)).toBe(true);
    expect(isAtLeast("24.0.0", OLDEST_NODE)).toBe(true);
    expect(isAtLeast("22.9.9", OLDEST_NODE)).toBe(false);
    expect(isAtLeast("20.20.2", OLDEST_NODE)).toBe(false);
    expect(isAtLeast("", OLDEST_NODE)).toBe(false);
  });

  test("a range in package.json is refused where one version is wanted", () => {
    const root = tempFolder();
    put(
      join(root, "package.json"),
      JSON.stringify({ dependencies: { "@pulumi/pulumi": "^3.1.0" } }),
    );
    expect(() => pinned(root, "@pulumi/pulumi")).toThrow(/must pin @pulumi\/pulumi to one version/);
  });

  test("the Pulumi that is built is the one that package.json pins", () => {
    const module = readFileSync(join(ROOT, "tools/pulumi/go.mod"), "utf8");
    expect(module).toContain(
      `github.com/pulumi/pulumi/pkg/v3 v${pinned(ROOT, "@pulumi/pulumi")}\n`,
    );
  });
});

describe("the Node to use", () => {
  const env = { HOME: "/home/somebody" };
  const running = { execPath: "/usr/bin/node", arch: "x64" };

  test("is the one at work where it is new enough", () => {
    const found = chosenNode({ root: ROOT, env }, { ...running, version: "22.18.0" });
    expect(found).toBe("/usr/bin/node");
  });

  test.each(["x64", "arm64"])("is one from the registry for an older one on %s", (arch) => {
    const found = chosenNode({ root: ROOT, env }, { ...running, arch, version: "20.20.2" });
    expect(found).toMatch(
      new RegExp(
        `^/home/somebody/\\.cache/repoman/toolchain/node-24\\.\\d+\\.\\d+/node_modules/node-linux-${arch}/bin/node$`,
      ),
    );
  });

  test("is asked of the user where no package has it", () => {
    const old = { ...running, arch: "riscv64", version: "20.0.0" };
    expect(() => chosenNode({ root: ROOT, env }, old)).toThrow(
      /no newer one for riscv64\n.*Install/,
    );
  });

  test("is pinned with its hash, once for each kind of processor and in one version", () => {
    const versions = ["x64", "arm64"].map((arch) => {
      const file = join(ROOT, "tools/node", arch, "package-lock.json");
      const entry = JSON.parse(readFileSync(file, "utf8")).packages[
        `node_modules/node-linux-${arch}`
      ];
      expect(entry.integrity).toMatch(/^sha512-/);
      return entry.version;
    });
    expect(versions[0]).toBe(versions[1]);
  });
});
