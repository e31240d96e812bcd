import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { catalogue } from "../../cli/catalogue.ts";
import { examplesOf } from "../../cli/definition.ts";
import { definition } from "../../cli/program.ts";
import { inProcess } from "./in-process.ts";

const ROOT = join(import.meta.dirname, "../..");

const repoman = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, [join(ROOT, "cli/main.ts"), ...args], {
    reject: false,
    env: { HOME: "/nonexistent", ...env },
  });

describe("repoman", () => {
  test("shows its version", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(await repoman(["--version"])).toMatchObject({ exitCode: 0, stdout: version });
  });

  test("shows all commands but the hidden, with examples", async () => {
    const { stdout, exitCode } = await repoman(["--help"]);
    expect(exitCode).toBe(0);
    for (const { name, summary, hidden } of catalogue) {
      expect(stdout.includes(`  ${name} `) && stdout.includes(summary)).toBe(!hidden);
    }
    expect(stdout).toContain("Examples:\n  repoman preview --diff");
  });

  test("without a command is bad usage, and shows them on stderr", async () => {
    const { stdout, stderr, exitCode } = await repoman([]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
    expect(stderr).toContain("Usage: repoman <command> [options]");
  });

  test.each(catalogue.map(({ name }) => name))("%s --help explains itself", async (name) => {
    const { stdout, stderr, exitCode } = await inProcess([name, "--help"], {});
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toContain(`Usage: repoman ${name}`);
  });

  test("help up is up --help", async () => {
    const { stdout } = await inProcess(["up", "--help"], {});
    for (const args of [
      ["up", "--help"],
      ["help", "up"],
    ]) {
      const found = await repoman(args);
      expect(found).toMatchObject({ exitCode: 0, stdout: stdout.trimEnd() });
    }
    const found = await repoman(["help", "profile", "list"]);
    expect(found.stdout).toMatch(/^Usage: repoman profile list \[options\]$/m);
  });

  test.each(catalogue.filter(({ hidden }) => !hidden))(
    "$name has examples of itself",
    async (entry) => {
      const examples = examplesOf(await definition(entry));
      expect(examples.length).toBeGreaterThan(0);
      for (const [line] of examples) expect(line).toContain(`repoman ${entry.name}`);
      for (const sub of (await definition(entry)).commands) {
        const own = examplesOf(sub).map(([line]) => line);
        expect([sub.name(), own.length]).not.toEqual([sub.name(), 0]);
        for (const line of own) expect(line).toContain(`repoman ${entry.name} ${sub.name()}`);
      }
    },
  );

  test("options that several commands have are the same everywhere", async () => {
    const commands = await Promise.all(
      catalogue.filter(({ hidden }) => !hidden).map((entry) => definition(entry)),
    );
    const flags = new Map<string, Set<string>>();
    const stacks = new Set<string>();
    for (const command of commands.flatMap((each) => [each, ...each.commands])) {
      for (const option of command.options) {
        const { long = "" } = option;
        flags.set(long, (flags.get(long) ?? new Set()).add(option.flags));
        if (long === "--stack") stacks.add(option.description);
        expect([command.name(), long, option.defaultValue]).not.toContainEqual([]);
      }
    }
    for (const name of ["--stack", "--yes", "--lines", "--json", "--follow", "--dry-run"]) {
      expect([...(flags.get(name) ?? [])]).toHaveLength(1);
    }
    // That of the journal filters.
    expect(stacks).toEqual(
      new Set([
        "the stack (default: $PULUMI_STACK, else this host's name)",
        "only what this stack did, from its own journal",
      ]),
    );
  });

  test.each([
    [["prewiew"], 'repoman has no command "prewiew"', 'Did you mean "repoman preview"?'],
    [["xyzzy"], 'repoman has no command "xyzzy"', '"repoman --help" lists all.'],
    [["env", "--stak", "x"], "unknown option '--stak'", "Did you mean --stack?"],
    [["env", "x"], "too many arguments", '"repoman env --help"'],
    [["env", "--stack"], "option '-s, --stack <name>' argument missing", '"repoman env --help"'],
    [["env", "--stack", "../x"], '"../x" is not a stack\'s name', "A name has letters"],
    [
      ["daemon"],
      '"repoman daemon" needs to be told what: status, start, stop',
      '"repoman daemon --help"',
    ],
    [
      ["config"],
      '"repoman config" needs to be told what: path, edit, validate, migrate',
      '"repoman config --help"',
    ],
    [["setup", "--with-llm"], "--with-llm is gone since 0.5.0", "repoman profile install"],
    [["migrate", "--without-llm"], "--without-llm is gone since 0.5.0", "llm-share"],
    [["new", "web", "--hermes"], "--hermes is gone since 0.5.0", "Nothing took its place"],
    [["new", "web", "--no-hermes"], "--no-hermes is gone since 0.5.0", "Nothing took its place"],
    [["remove", "web", "--purge-hermes"], "--purge-hermes is gone since 0.5.0", "nor deleted"],
    [["remove", "web", "--keep-repo"], "--keep-repo is gone since 0.5.0", "It is always so"],
    [["daemon", "sttus"], "unknown command 'sttus'", "Did you mean status?"],
    [
      ["daemon", "stop", "--timeout", "soon"],
      "--timeout soon is not a number of seconds",
      "--timeout 120",
    ],
    [["up"], '"repoman up" would ask before it changes anything', "Add --yes"],
    [["up", "web", "api"], '"repoman up web api" would ask', "first: repoman preview web api"],
    [["destroy", "web"], '"repoman destroy web" would ask', "repoman destroy web --preview-only"],
    [["logs", "--lines", "x"], '--lines "x" is not a number of lines', "--lines 50"],
    [["log", "--lines", "-1"], '--lines "-1" is not a number of lines', "--lines 50"],
    [["backup", "log", "--lines", ""], '--lines "" is not a number of lines', "--lines 50"],
  ])("%j is bad usage, and it says what and how to mend it", async (args, what, remedy) => {
    const { stdout, stderr, exitCode } = await inProcess(args, { HOME: "/nonexistent" });
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
    const [first = "", ...rest] = stderr.split("\n");
    expect(first).toContain(`error: ${what}`);
    // As it is called from here, where it is not in PATH.
    expect(rest.join("\n").replaceAll("bin/repoman", "repoman")).toContain(remedy);
    expect(stderr).not.toMatch(/ {4}at /);
  });

  test("shows the stack of an error only where it is asked to, and colours only where they are wanted", async () => {
    const { stderr, exitCode } = await repoman(["xyzzy"], {
      REPOMAN_DEBUG: "1",
      FORCE_COLOR: "1",
      NO_COLOR: "",
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/ {4}at /);
    expect(stderr).toContain("\u001b[31merror:\u001b[39m");
    const plain = await repoman(["xyzzy"], { FORCE_COLOR: "1", NO_COLOR: "1" });
    expect(plain.stderr).not.toContain("\u001b");
  });

  test("survives a reader that goes away", async () => {
    const { stderr } = await execa("sh", [
      "-c",
      '"$0" "$1" --help | true',
      process.execPath,
      join(ROOT, "cli/main.ts"),
    ]);
    expect(stderr).toBe("");
  });
});
