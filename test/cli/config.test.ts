// The commands around the registry's file, with editors that are scripts, on a terminal and without.

import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { splitWords } from "../../cli/editing/editor.ts";
import { start } from "../rig/command.ts";
import { inProcess } from "./in-process.ts";
import { KEY, openTerminal } from "./terminal.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = [process.execPath, join(ROOT, "cli/main.ts")];

const GOOD = `# mine
[repoman]
schema = 3

[defaults]
repos_root = "/repos" # all of them

[[project]]
name = "alpha"
`;

let home: string;
let file: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "repoman-config-"));
  const root = join(home, "checkout");
  mkdirSync(root);
  for (const name of ["Pulumi.yaml", "package.json"]) cpSync(join(ROOT, name), join(root, name));
  file = join(home, ".config/repoman/repoman.toml");
  mkdirSync(join(home, ".config/repoman"), { recursive: true });
  writeFileSync(file, GOOD);
  env = { PATH: process.env.PATH, HOME: home, REPOMAN_ROOT: root, USER: "dev" };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const repoman = (...args: string[]) => inProcess(args, env);

const terminal = (...args: string[]) =>
  openTerminal({ home, spawn: start }, [...MAIN, ...args], { env: env as Record<string, string> });

const registry = () => readFileSync(file, "utf8");
const beside = () => readdirSync(join(home, ".config/repoman")).sort();
const drafts = () => {
  const folder = join(home, ".local/state/repoman/drafts");
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
};

/** An editor in a folder with a space; it takes an option, and runs a line of sh on the file "$1". */
function editor(...rounds: string[]): void {
  const folder = join(home, "my tools");
  mkdirSync(folder, { recursive: true });
  const script = join(folder, "edit.sh");
  const cases = rounds.map((round, index) => `${index + 1}) ${round} ;;`).join("\n");
  writeFileSync(
    script,
    `#!/bin/sh\n[ "$1" = --wait ] || exit 9\nshift\necho x >>"$HOME/rounds"\ncase $(wc -l <"$HOME/rounds") in\n${cases}\nesac\n`,
  );
  chmodSync(script, 0o755);
  env.EDITOR = `'${script}' --wait`;
}

const sed = (expression: string) => `sed -i '${expression}' "$1"`;

describe("config path", () => {
  test("says where the registry is, there or not", async () => {
    expect(await repoman("config", "path")).toMatchObject({ exitCode: 0, stdout: `${file}\n` });
    rmSync(file);
    symlinkSync(join(home, "dotfiles.toml"), file);
    const { stdout } = await repoman("config", "path", "--json");
    expect(JSON.parse(stdout)).toEqual({
      registry: file,
      file: join(home, "dotfiles.toml"),
      exists: false,
      overrides: join(home, ".config/repoman/repos.d"),
      profiles: join(home, ".config/repoman/profiles.d"),
      jsonSchema: new URL("../../schema/repoman.schema.json", import.meta.url).href,
    });
  });
});

describe("config validate", () => {
  test("is content with a good registry", async () => {
    const { exitCode, stdout, stderr } = await repoman("config", "validate");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toContain(`${file} with 1 project is good.`);
  });

  test("lists what is wrong with registry, overrides and profiles, each with its place", async () => {
    writeFileSync(file, `${GOOD}imgae = "x"\nbackup = "no"\n`);
    for (const folder of ["repos.d", "profiles.d"]) mkdirSync(join(file, "..", folder));
    writeFileSync(join(file, "../repos.d/alpha.toml"), "image = 5\n");
    writeFileSync(join(file, "../profiles.d/mine.yml"), "config:\n  a: [1]\n");
    const { exitCode, stdout } = await repoman("config", "validate");
    expect(exitCode).toBe(1);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(`${home}/.config/repoman/`, "")),
    ).toEqual([
      expect.stringContaining('repoman.toml:10:1: project "alpha": unknown key "imgae" — did you'),
      expect.stringContaining('repoman.toml:11:10: project "alpha": backup must be true or false'),
      expect.stringMatching(/^repos\.d\/alpha\.toml:1:9: project "alpha": image must be a string/),
      expect.stringMatching(/^profiles\.d\/mine\.yml:2:\d+: profile "mine": /),
    ]);
    const json = JSON.parse((await repoman("config", "validate", "--json")).stdout);
    expect(json).toMatchObject({ file, schema: 3, valid: false, projects: 1 });
    expect(json.problems).toHaveLength(4);
    expect(json.problems[0]).toMatchObject({ file, line: 10, column: 1, project: "alpha" });
  });

  test("without a registry is a matter of the environment", async () => {
    rmSync(file);
    expect(await repoman("config", "validate")).toMatchObject({ exitCode: 3, stdout: "" });
  });
});

describe("config edit", () => {
  test("opens a copy in $EDITOR with its arguments, and saves what is good", async () => {
    const real = join(home, "dotfiles.toml");
    writeFileSync(real, GOOD, { mode: 0o600 });
    rmSync(file);
    symlinkSync("../../dotfiles.toml", file);
    editor(`${sed("s/alpha/beta/")}; echo "$1" >"$HOME/opened"; stat -c %a "$1" >"$HOME/mode"`);
    const { exitCode, stderr } = await repoman("config", "edit");
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(readFileSync(real, "utf8")).toBe(GOOD.replace("alpha", "beta"));
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(lstatSync(real).mode & 0o777).toBe(0o600);
    expect(stderr).toContain(`Saved ${real}.`);
    expect(readFileSync(join(home, "opened"), "utf8")).toMatch(/-repoman\.toml\n$/);
    expect(readFileSync(join(home, "mode"), "utf8")).toBe("600\n");
    expect(drafts()).toEqual([]);
  });

  test("$VISUAL goes before $EDITOR, and nothing changed is nothing done", async () => {
    const { mtimeMs } = lstatSync(file);
    env.EDITOR = "false";
    env.VISUAL = "true";
    const { exitCode, stderr } = await repoman("config", "edit");
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain("Nothing was changed.");
    expect(lstatSync(file).mtimeMs).toBe(mtimeMs);
    expect(drafts()).toEqual([]);
  });

  test("with a problem, and nobody to ask, saves nothing and keeps what was written", async () => {
    editor(sed("s/^name.*/&\\nimgae = 1/"));
    const { exitCode, stderr } = await repoman("config", "edit");
    expect(exitCode).toBe(1);
    const [draft = ""] = drafts();
    expect(stderr).toContain(`${draft}:10:1: project "alpha": unknown key "imgae"`);
    expect(stderr).toContain(`What you wrote is kept in ${draft}`);
    expect(readFileSync(draft, "utf8")).toContain("imgae");
    expect(registry()).toBe(GOOD);
    // The next edit reminds of it.
    env.EDITOR = "true";
    expect((await repoman("config", "edit")).stderr).toContain(`is still there: ${draft}`);
  });

  test("with a problem offers to go on, until it is good", async () => {
    editor(`echo '[[project' >>"$1"`, sed('s/^.*\\[\\[project$/[[project]]\\nname = "two"/'));
    const shown = terminal("config", "edit");
    await shown.shows("What now?");
    expect(shown.text).toMatch(/repoman\.toml:10:\d+: not TOML here/);
    shown.type(KEY.enter);
    const { exitCode, text } = await shown.done;
    expect({ exitCode, text }).toMatchObject({ exitCode: 0 });
    expect(registry()).toBe(`${GOOD}[[project]]\nname = "two"\n`);
    expect(drafts()).toEqual([]);
  });

  test.each([
    ["stopping", KEY.down + KEY.enter],
    ["Ctrl-C", KEY.interrupt],
  ])("with a problem, %s keeps what was written", async (_, keys) => {
    editor(sed("s/alpha/no name/"));
    const shown = terminal("config", "edit");
    await shown.shows("What now?");
    shown.type(keys);
    const { exitCode, text } = await shown.done;
    expect(exitCode, text).toBe(1);
    expect(registry()).toBe(GOOD);
    const [draft = ""] = drafts();
    expect(text.replaceAll("\n", "")).toContain(`What you wrote is kept in ${draft}`);
    expect(readFileSync(draft, "utf8")).toContain("no name");
  });

  test("may leave a problem that was there, or that only an override has", async () => {
    writeFileSync(file, `${GOOD}imgae = 1\n`);
    editor(sed("s/mine/yours/"));
    const first = await repoman("config", "edit");
    expect(first, first.stderr).toMatchObject({ exitCode: 0 });
    expect(first.stderr).toContain("what you wrote has 1 problem");
    expect(registry()).toContain("# yours");

    writeFileSync(file, GOOD);
    mkdirSync(join(file, "../repos.d"));
    writeFileSync(join(file, "../repos.d/alpha.toml"), "restart = true\n");
    rmSync(join(home, "rounds"));
    editor(sed("s/alpha/beta/"));
    const shown = terminal("config", "edit");
    await shown.shows("Save it all the same");
    shown.type(KEY.down + KEY.enter);
    expect((await shown.done).exitCode).toBe(0);
    expect(registry()).toContain("beta");
  });

  test("is refused where the registry was changed meanwhile, and keeps both", async () => {
    editor(`${sed("s/alpha/beta/")}; echo '# theirs' >>"$HOME/.config/repoman/repoman.toml"`);
    const { exitCode, stderr } = await repoman("config", "edit");
    expect(exitCode, stderr).toBe(4);
    expect(stderr).toContain("has changed since it was read");
    expect(registry()).toBe(`${GOOD}# theirs\n`);
    expect(readFileSync(drafts()[0] ?? "", "utf8")).toContain("beta");
  });

  test.each([
    ["/no/such/editor", 3, 'the editor "/no/such/editor" is not there'],
    ["sh -c 'exit 3'", 1, 'the editor "sh" ended with code 3'],
    ["'open", 2, `EDITOR is "'open", which is no command`],
    ["", 2, "there is no terminal to edit at"],
  ])("with EDITOR=%s ends with %i, and changes nothing", async (value, code, message) => {
    env.EDITOR = value;
    const { exitCode, stderr } = await repoman("config", "edit");
    expect(exitCode).toBe(code);
    expect(stderr).toContain(message);
    expect(registry()).toBe(GOOD);
    expect(drafts()).toEqual([]);
  });
});

describe("config migrate, also as migrate", () => {
  const OLD = `# mine
[defaults]
local_repos = "/repos" # fast
[defaults.llm]
ollama_url = "http://192.168.1.20:11434"

[[project]]
name = "alpha"
`;
  const NEW = `# mine

[repoman]
schema = 3

[host]
lan_ip = "192.168.1.20"

[defaults]
repos_root = "/repos" # fast

[[project]]
name = "alpha"
`;

  test("shows what changes and, with nobody to ask, changes nothing", async () => {
    writeFileSync(file, OLD);
    const { exitCode, stderr } = await repoman("migrate");
    expect(exitCode).toBe(2);
    expect(stderr).toContain('-local_repos = "/repos" # fast\n');
    expect(stderr).toContain('+repos_root = "/repos" # fast\n');
    expect(stderr).not.toMatch(/^[-+]name/m);
    expect(registry()).toBe(OLD);
    expect(beside()).toEqual(["repoman.toml"]);
  });

  test("keeps the old file beside the new one, never over an earlier one, and is done once", async () => {
    writeFileSync(file, OLD);
    writeFileSync(`${file}.schema-2`, "an earlier one");
    const { exitCode, stdout, stderr } = await repoman("migrate", "--yes", "--json");
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(registry()).toBe(NEW);
    const backup = `${file}.schema-2-2`;
    expect(JSON.parse(stdout)).toEqual({ file, from: 2, to: 3, changed: true, backup });
    expect(readFileSync(backup, "utf8")).toBe(OLD);
    expect(readFileSync(`${file}.schema-2`, "utf8")).toBe("an earlier one");

    const again = await repoman("config", "migrate");
    expect(again).toMatchObject({ exitCode: 0, stdout: "" });
    expect(again.stderr).toContain("there is nothing to migrate");
    expect(beside()).toHaveLength(3);
  });

  test("asks at a terminal, and a no leaves everything as it is", async () => {
    writeFileSync(file, OLD);
    const shown = terminal("config", "migrate");
    await shown.shows("from schema 2 to 3?");
    shown.type("n");
    expect((await shown.done).exitCode).toBe(1);
    expect(registry()).toBe(OLD);
    expect(beside()).toEqual(["repoman.toml"]);
  });

  test("leaves no copy behind where nothing could be written, or the schema is not known", async () => {
    writeFileSync(file, OLD.replace("[defaults]", "[repoman]\nschema = 4\n[defaults]"));
    const newer = await repoman("config", "migrate", "--yes");
    expect(newer.exitCode).toBe(1);
    expect(newer.stderr).toContain("is of schema 4, which this repoman does not know");
    expect(beside()).toEqual(["repoman.toml"]);
  });
});

test("an editor's words are split as a shell splits them", () => {
  expect(splitWords("code --wait")).toEqual(["code", "--wait"]);
  expect(splitWords("  '/a b/ed' -f\t\"x \\\" y\" a\\ b''  ")).toEqual([
    "/a b/ed",
    "-f",
    'x " y',
    "a b",
  ]);
  expect(splitWords("emacs -e '(x \"$HOME\")'")).toEqual(["emacs", "-e", '(x "$HOME")']);
  expect(splitWords("''")).toEqual([""]);
  expect(splitWords("")).toEqual([]);
  expect(splitWords("a 'b")).toBeUndefined();
  expect(splitWords('a "b')).toBeUndefined();
  expect(splitWords("a \\")).toBeUndefined();
});
