// A mistyped `--stack` must not have the user's own registry under another name.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { catalogue } from "../../cli/catalogue.ts";
import { stackToFind } from "../../cli/definition.ts";
import { definition } from "../../cli/program.ts";
import { operate } from "../../cli/pulumi/operate.ts";
import { inProcess } from "./in-process.ts";

const ROOT = join(import.meta.dirname, "../..");

let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "repoman-stack-"));
  const root = join(home, "project");
  mkdirSync(root);
  for (const name of ["Pulumi.yaml", "package.json"]) cpSync(join(ROOT, name), join(root, name));
  // Known by its config alone, wherever its state is.
  writeFileSync(join(root, "Pulumi.moved.yaml"), "config: {}\n");
  mkdirSync(join(home, ".config/repoman"), { recursive: true });
  writeFileSync(join(home, ".config/repoman/repoman.toml"), "[repoman]\nschema = 3\n");
  mkdirSync(join(home, ".local/state/repoman/pulumi/.pulumi/stacks/repoman"), { recursive: true });
  writeFileSync(join(home, ".local/state/repoman/pulumi/.pulumi/stacks/repoman/real.json"), "{}");
  env = { PATH: process.env.PATH, HOME: home, REPOMAN_ROOT: root, USER: "dev" };
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const made = () =>
  [
    ...readdirSync(join(home, "project")),
    ...readdirSync(join(home, ".local/state/repoman/pulumi/.pulumi/stacks/repoman")),
    existsSync(join(home, ".local/state/repoman/stacks")),
  ].join();

const commands = await Promise.all(
  catalogue
    .filter(({ hidden }) => !hidden)
    .map(async (entry) => {
      const command = await definition(entry);
      const all = command.commands.length > 0 ? command.commands : [command];
      return all
        .filter(({ options }) => options.some(({ long }) => long === "--stack"))
        .map((each) => [entry.name, ...(each === command ? [] : [each.name()])].join(" "));
    }),
);
// These make a stack, or tell of one that may be no more.
const FREE = ["up", "preview", "env", "setup", "log"];

describe("a stack that is not there", () => {
  test.each(commands.flat().filter((name) => !FREE.includes(name)))(
    "%s refuses it",
    async (name) => {
      const before = made();
      const args = [
        ...name.split(" "),
        "--stack",
        "reall",
        ...(name === "sync" ? ["--dry-run"] : []),
      ];
      const { exitCode, stdout, stderr } = await inProcess(args, env);
      expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toMatch(/^error: there is no stack "reall"\n {2}There are: real\. /);
      expect(made()).toBe(before);
    },
  );

  test.each(FREE)("%s takes it", async (name) => {
    const entry = catalogue.find((each) => each.name === name);
    if (!entry) throw new Error(`there is no command ${name}`);
    const command = await definition(entry);
    command.setOptionValueWithSource("stack", "reall", "cli");
    expect(stackToFind(command)).toBeUndefined();
  });

  test("is one without a state and without a config", async () => {
    for (const stack of ["real", "moved"]) {
      const { exitCode, stderr } = await inProcess(["config", "path", "--stack", stack], env);
      expect(exitCode, stderr).toBe(0);
    }
    const { stderr } = await inProcess(["config", "path", "--stack", "../x"], env);
    expect(stderr).toContain('"../x" is not a stack\'s name');
  });
});

test("a dry run of a mirror makes no stack", async () => {
  const before = made();
  const { exitCode, stderr } = await inProcess(["sync", "--dry-run"], env);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: "The registry asks for no backup.\n",
  });
  expect(made()).toBe(before);
});

test("a place for copies that is refused makes no stack", async () => {
  const before = made();
  const { exitCode, stderr } = await inProcess(["backup", "init"], env);
  expect(exitCode, stderr).toBe(2);
  expect(stderr).toContain("says nowhere where the copies go");
  expect(made()).toBe(before);
});

test("a command that asks as another says its own name, and what to look at", async () => {
  const asked = operate({ operation: "up", typed: "update", names: ["web"], flags: [] });
  await expect(asked).rejects.toThrow(
    /^"repoman update web" would ask .*\n {2}Add --yes, or look first: repoman preview web$/,
  );
});
