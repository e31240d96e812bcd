import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostStack } from "../../host/paths.js";
import { preparePulumi, pulumiEnvironment, pulumiVariables } from "../../tools/pulumi-env.js";
import { ROOT, writeStamp } from "../../tools/toolchain.js";
import { put, script, tempFolder, userOf } from "./temp.ts";

/** A checkout that set-up was run in, with a Node and a Pulumi that do nothing. */
async function checkout(env: NodeJS.ProcessEnv): Promise<{ root: string; tools: string }> {
  const root = tempFolder();
  const tools = tempFolder();
  for (const file of [
    "package.json",
    "package-lock.json",
    "node_modules/.package-lock.json",
    "tools/setup.js",
    "tools/node/x64/package-lock.json",
    "tools/node/arm64/package-lock.json",
  ]) {
    put(join(root, file), "{}");
  }
  const node = script(join(tools, "node 24/bin/node"), "exit 0");
  const pulumi = script(join(tools, "pulumi/pulumi"), "exit 0");
  await writeStamp(env, root, { node, pulumi });
  return { root, tools };
}

describe("Pulumi's environment", () => {
  test("keeps all below the user's own folders", async () => {
    const env = userOf("/home/a user", { PATH: "/usr/bin:/bin" });
    const there = userOf(tempFolder(), { PATH: "/usr/bin:/bin" });
    const { root, tools } = await checkout(there);
    expect(pulumiVariables({ env, root })).toEqual({
      PATH: "/usr/bin:/bin",
      REPOMAN_ROOT: root,
      PULUMI_STACK: hostStack(),
      PULUMI_BACKEND_URL: "file:///home/a user/.local/state/repoman/pulumi",
      PULUMI_HOME: "/home/a user/.local/state/repoman/pulumi-home",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/home/a user/.local/state/repoman/passphrase",
      PULUMI_CONTINUE_ON_ERROR: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      NODE_COMPILE_CACHE: "/home/a user/.cache/repoman/compile-cache",
    });
    expect(pulumiVariables({ env: there, root }).PATH).toBe(
      `${tools}/pulumi:${tools}/node 24/bin:/usr/bin:/bin`,
    );
  });

  test("leaves PATH as it is where the same programs come first in it", async () => {
    const env = userOf(tempFolder());
    const { root, tools } = await checkout(env);
    const path = `${tools}/pulumi:${tools}/node 24/bin:/usr/bin`;
    expect(pulumiVariables({ env: { ...env, PATH: path }, root }).PATH).toBe(path);
    // A folder with other things of the user's in front stays in front.
    const mixed = `/opt/mine:${path}`;
    expect(pulumiVariables({ env: { ...env, PATH: mixed }, root }).PATH).toBe(mixed);
  });

  test("follows the XDG folders, and the stack that is asked for", () => {
    const env = userOf("/home/u", { XDG_STATE_HOME: "/state", XDG_CACHE_HOME: "/cache" });
    const variables = pulumiVariables({ env, stack: "demo" });
    expect(variables).toMatchObject({
      PULUMI_STACK: "demo",
      PULUMI_BACKEND_URL: "file:///state/repoman/pulumi",
      NODE_COMPILE_CACHE: "/cache/repoman/compile-cache",
    });
    expect(pulumiVariables({ env: { ...env, PULUMI_STACK: "mine" } }).PULUMI_STACK).toBe("mine");
  });

  test("leaves a backend of the user's alone, and the home with its logins", () => {
    const env = userOf("/home/u", { PULUMI_BACKEND_URL: "s3://bucket" });
    const variables = pulumiVariables({ env });
    expect(variables).not.toHaveProperty("PULUMI_BACKEND_URL");
    expect(variables).not.toHaveProperty("PULUMI_HOME");
    expect(pulumiEnvironment({ env }).PULUMI_BACKEND_URL).toBe("s3://bucket");
  });

  test.each([
    ["PULUMI_CONFIG_PASSPHRASE", "secret"],
    ["PULUMI_CONFIG_PASSPHRASE", ""],
    ["PULUMI_CONFIG_PASSPHRASE_FILE", "/home/u/file"],
  ])("leaves a passphrase of the user's alone (%s=%j)", (name, value) => {
    const home = tempFolder();
    const environment = pulumiEnvironment({ env: userOf(home, { [name]: value }) });
    expect(environment[name]).toBe(value);
    expect(Object.keys(environment).filter((key) => key.includes("PASSPHRASE"))).toEqual([name]);
    preparePulumi(environment);
    expect(() => statSync(join(home, ".local/state/repoman/passphrase"))).toThrow("ENOENT");
  });

  test.each([
    ["PULUMI_HOME", "/home/u/.pulumi"],
    ["PULUMI_CONTINUE_ON_ERROR", "false"],
    ["NODE_COMPILE_CACHE", "/elsewhere"],
  ])("leaves %s alone", (name, value) => {
    expect(pulumiEnvironment({ env: userOf("/home/u", { [name]: value }) })[name]).toBe(value);
  });

  test("set by `repoman env` and asked for again is the same", () => {
    const once = pulumiEnvironment({ env: userOf("/home/u") });
    expect(pulumiEnvironment({ env: once })).toEqual(once);
  });
});

describe("the passphrase", () => {
  const fileOf = (home: string) => join(home, ".local/state/repoman/passphrase");

  test("is made once, for the user alone, and never told", () => {
    const home = tempFolder();
    const environment = pulumiEnvironment({ env: userOf(home) });
    preparePulumi(environment);
    const made = readFileSync(fileOf(home), "utf8");
    expect(made.trim()).toMatch(/^[\w-]{43}$/);
    expect(statSync(fileOf(home)).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, ".local/state/repoman")).mode & 0o777).toBe(0o700);
    expect(JSON.stringify(environment)).not.toContain(made.trim());
    preparePulumi(environment);
    expect(readFileSync(fileOf(home), "utf8")).toBe(made);
  });

  test("that is there is kept, whatever it looks like", () => {
    const home = tempFolder();
    put(fileOf(home), "old\n");
    preparePulumi(pulumiEnvironment({ env: userOf(home) }));
    expect(readFileSync(fileOf(home), "utf8")).toBe("old\n");
  });

  test("that a full disk left empty is made anew", () => {
    const home = tempFolder();
    put(fileOf(home), "");
    preparePulumi(pulumiEnvironment({ env: userOf(home) }));
    expect(readFileSync(fileOf(home), "utf8").length).toBeGreaterThan(40);
  });

  test("that cannot be made is told with what to do", () => {
    const home = tempFolder();
    mkdirSync(join(home, ".local"));
    writeFileSync(join(home, ".local/state"), "a file in the way");
    expect(() => preparePulumi(pulumiEnvironment({ env: userOf(home) }))).toThrow(
      /Pulumi's files below .* could not be made: (ENOTDIR|EEXIST).*\n.*XDG_STATE_HOME/,
    );
  });
});

test("the checkout that this code lies in is the default", () => {
  expect(pulumiVariables({ env: userOf("/home/u") }).REPOMAN_ROOT).toBe(ROOT);
});
