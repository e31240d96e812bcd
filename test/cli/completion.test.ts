import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { catalogue } from "../../cli/catalogue.ts";
import { written } from "../../cli/completion/answer.ts";
import { type Answer, complete } from "../../cli/completion/complete.ts";
import { kindOfArgument, pathOf } from "../../cli/completion/kinds.ts";
import { namesIn } from "../../cli/completion/names.ts";
import { completionScript, SHELLS } from "../../cli/completion/scripts.ts";
import { valuesOf } from "../../cli/completion/values.ts";
import { definition, overview } from "../../cli/program.ts";
import { askFish, launcher, typeIn } from "./shells.ts";

const ROOT = join(import.meta.dirname, "../..");

const REGISTRY = `
[defaults]
repos_root = "~/repos"
[[project]]
name = "web"
repo = "work/web"
[[project]]
name = "api"
[[project]]
name = "$(touch pwned)"
[[project]]
name = 'a\`touch pwned\`b'
`;

let folder: string;
let env: NodeJS.ProcessEnv;

const put = (name: string, text = "") => {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "repoman-completion-"));
  env = { HOME: folder, PATH: process.env.PATH };
  put(".config/repoman/repoman.toml", REGISTRY);
  // Incus takes names that a shell would take for something else.
  put(".config/repoman/profiles.d/z:b;touch>pwned.yml");
  put(".config/repoman/profiles.d/q(touch|cat)q.yaml");
  put(".config/repoman/profiles.d/z$(touch pwned)z.yml");
  put(".config/repoman/profiles.d/z\u001b[31m\n.yml");
  put(".local/state/repoman/stacks/demo/id");
  put("root/Pulumi.other.yaml", `config:\n  repoman:registry: ${join(folder, "other.toml")}\n`);
  put("root/Pulumi.yaml");
  put("other.toml", '[[project]]\nname = "elsewhere"\n');
  put("repos/work/web/.git/HEAD");
  put("repos/work/fresh/.git/HEAD");
  put("some dir/in/a file");
  put("a file.toml", '[[project]]\nname = "third"\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (...line: string[]): Promise<Answer> =>
  complete(line, {
    catalogue,
    overview: () => overview(""),
    definition,
    values: (kind, given) =>
      valuesOf(kind, given, { root: join(folder, "root"), env, cwd: folder }),
  });
const offered = async (...line: string[]) => {
  const { take, candidates } = await ask(...line);
  return take === "words" ? candidates.map(({ value }) => value) : take;
};

describe("what can stand at the cursor", () => {
  test("commands but the hidden, with their summaries", async () => {
    const { candidates } = await ask("");
    for (const { name, summary, hidden } of catalogue) {
      const found = candidates.find(({ value }) => value === name);
      expect(found).toEqual(hidden ? undefined : { value: name, summary });
    }
    expect(candidates.at(-1)?.value).toBe("help");
    expect(await offered("help", "")).toContain("up");
    expect(await offered("-")).toEqual(["--version", "--help"]);
    expect(await offered("no-such-command", "")).toEqual([]);
  });

  test("subcommands and choices", async () => {
    expect(await offered("backup", "")).toEqual(["init", "verify", "log"]);
    expect(await offered("backup", "no-such", "")).toEqual([]);
    expect(await offered("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  test("options that are not there yet, with what they do", async () => {
    const { candidates } = await ask("up", "--no-summary", "-");
    expect(candidates).toContainEqual({ value: "--yes", summary: "do not ask" });
    const values = candidates.map(({ value }) => value);
    expect(values).toContain("--stack");
    expect(values).not.toContain("--summary");
    expect(await offered("new", "--profile", "x", "--create", "-")).toContain("--profile");
    expect(await offered("new", "--profile", "x", "--create", "-")).not.toContain("--create");
    expect(await offered("log", "-fn", "20", "--")).not.toContain("--follow");
    // Where no argument can stand, the options are what is left.
    expect(await offered("daemon", "status", "")).toEqual(["--json", "--help"]);
  });

  test("projects of the registry that counts, each once", async () => {
    expect(await offered("up", "")).toEqual(["web", "api"]);
    expect((await ask("up", "")).candidates[0]).toEqual({ value: "web", summary: "work/web" });
    expect(await offered("up", "web", "")).toEqual(["api"]);
    expect(await offered("shell", "web", "")).toEqual(["--start", "--root", "--stack", "--help"]);
    expect(await offered("up", "--stack", "other", "")).toEqual(["elsewhere"]);
    expect(await offered("up", "--stack=other", "")).toEqual(["elsewhere"]);
    expect(await offered("up", "-sother", "")).toEqual(["elsewhere"]);
    expect(await offered("up", "--registry", "a file.toml", "")).toEqual(["third"]);
    // Pulumi's own flag, and its value.
    expect(await offered("up", "--parallel", "")).toEqual([]);
    expect(await offered("up", "--parallel", "4", "")).toEqual(["web", "api"]);
  });

  test("nothing that is another program's", async () => {
    expect(await offered("shell", "web", "--", "")).toEqual([]);
    expect(await offered("up", "--", "--st")).toEqual([]);
  });

  test("stacks, profiles, files and directories", async () => {
    expect(await offered("up", "--stack", "")).toEqual(["demo", "other"]);
    expect(await offered("up", "--stack=d")).toEqual(["--stack=demo", "--stack=other"]);
    expect(await offered("up", "-s", "")).toEqual(["demo", "other"]);
    const profiles = await offered("profile", "show", "");
    expect(profiles).toEqual(expect.arrayContaining(["dotfiles", "z:b;touch>pwned"]));
    expect(profiles).not.toContain("z$(touch pwned)z");
    expect(await offered("restore", "web", "--to", "")).toBe("directories");
    expect(await offered("restore", "web", "--to=")).toBe("directories");
    expect(await offered("up", "--registry", "")).toBe("files");
  });

  test("repositories that have no container yet", async () => {
    expect(await offered("new", "")).toEqual(["fresh"]);
    expect(await offered("new", "--repo", "")).toEqual(["work/fresh"]);
    expect(await offered("new", "--repo", "./")).toBe("directories");
  });

  test("every argument of every command was thought of", async () => {
    const kinds: Record<string, string> = {};
    for (const entry of catalogue) {
      const top = await definition(entry);
      for (const command of [top, ...top.commands]) {
        for (const argument of command.registeredArguments) {
          const kind = argument.argChoices ? "choice" : kindOfArgument(command, argument);
          kinds[`${pathOf(command)} ${argument.name()}`] = kind;
        }
      }
    }
    const others = Object.entries(kinds).filter(([, kind]) => kind !== "project");
    expect(Object.fromEntries(others)).toEqual({
      "new name": "newcomer",
      "rename new": "unknown",
      "adopt name": "unknown",
      "completion shell": "choice",
      "profile show name": "profile",
      "profile diff name": "profile",
      "profile install names": "profile",
      "profile remove name": "profile",
      "profile edit name": "profile",
      "profile new name": "unknown",
    });
    expect(kinds).toMatchObject({ "up name": "project", "rename old": "project" });
  });
});

test.each([
  ["nothing", "", []],
  ["no TOML", '[[project]]\nname = "web"\nimage = \n[[project.mount]]\nname = "no"\n', ["web"]],
  ["an older schema", 'schema = 1\n[[project]]\nname = "web"\n', ["web"]],
  ["something else", "project = 3\n", []],
  ["a table in place of a list", '[project]\nname = "web"\n', []],
  ["names that are none", "[[project]]\nname = 3\n[[project]]\nname = '-rf'\n[[project]]\n", []],
  ["inline tables", 'project = [{ name = "web" }, { name = "a b" }]\n', ["web"]],
])("a registry that has %s", (_, text, names) => {
  expect(namesIn(text).projects.map(({ name }) => name)).toEqual(names);
});

test("what could not be one word of a line is never printed", () => {
  const candidates = ["a\nb", "a\tb", "a\u001b[31mb", "", "a b"].map((value) => ({
    value,
    summary: "x\ny",
  }));
  expect(written({ take: "words", candidates })).toBe("words\na b\tx\\ny\n");
});

describe("repoman __complete", () => {
  const run = (args: string[], more: NodeJS.ProcessEnv = {}) =>
    execa(process.execPath, [join(ROOT, "cli/main.ts"), "__complete", ...args], {
      reject: false,
      extendEnv: false,
      env: { ...env, ...more },
    });

  test("keeps quiet where the registry is missing, a folder or no text", async () => {
    for (const place of ["no/such", "folder", "binary"]) {
      mkdirSync(join(folder, "folder/repoman/repoman.toml"), { recursive: true });
      const file = put("binary/repoman/repoman.toml");
      writeFileSync(file, Buffer.from([0xff, 0xfe, 0x00]));
      const XDG_CONFIG_HOME = join(folder, place);
      const { stdout, stderr, exitCode } = await run(["up", ""], { XDG_CONFIG_HOME });
      expect({ place, stdout, stderr, exitCode }).toEqual({
        place,
        stdout: "words",
        stderr: "",
        exitCode: 0,
      });
    }
  });

  test("does not even begin with set-up where the toolchain is not ready", async () => {
    const { stdout, stderr, exitCode } = await execa(
      join(ROOT, "bin/repoman"),
      ["__complete", "up", ""],
      { reject: false, extendEnv: false, env: { ...env, REPOMAN_TOOLCHAIN: join(folder, "none") } },
    );
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: "", exitCode: 3 });
    expect(existsSync(join(folder, "none"))).toBe(false);
  });
});

describe("in the real shells", () => {
  const scripts: Record<string, string> = {};
  let place: { env: NodeJS.ProcessEnv; cwd: string };
  beforeAll(() => {
    const program = launcher(folder);
    for (const shell of SHELLS) {
      scripts[shell] = put(`_repoman.${shell}`, completionScript(shell, program));
    }
    // A program of that name where somebody happens to be is not run.
    const trap = put("some dir/repoman", "#!/bin/sh\ntouch pwned\n");
    chmodSync(trap, 0o755);
    place = { env, cwd: join(folder, "some dir") };
  });
  afterAll(() => expect(existsSync(join(folder, "some dir/pwned"))).toBe(false));

  const LINES: [typed: string, bash: string, zsh?: string][] = [
    ["repoman unin", "repoman uninstall "],
    ["./repoman up w", "./repoman up web "],
    ["repoman up --stack=dem", "repoman up --stack=demo "],
    ["repoman profile show z:", "repoman profile show z:b\\;touch\\>pwned "],
    ["repoman profile show q", "repoman profile show q\\(touch\\|cat\\)q "],
    ["repoman restore --to=i", "repoman restore --to=in/"],
    ["repoman restore --to ~/some", "repoman restore --to ~/some\\ dir/"],
    ["repoman shell web -- u", "repoman shell web -- u"],
    ["repoman nonsense w", "repoman nonsense w"],
    ["repoman up $(touch pwned) w", "repoman up $(touch pwned) web "],
  ];

  test.concurrent.each(["bash", "zsh"] as const)("%s", async (shell) => {
    const script = scripts[shell] ?? "";
    const lines = [...LINES.map(([typed]) => typed), "repoman up ", "repoman shell --"];
    const found = await typeIn(shell, script, lines, place);
    expect(found.slice(0, LINES.length).map(({ line }) => line)).toEqual(
      LINES.map(([, wanted]) => wanted),
    );
    const [projects, options] = found.slice(-2).map(({ shown }) => shown);
    expect(projects).toMatch(/api.*web|web.*api/s);
    expect(options).toContain("--start");
    if (shell === "zsh") {
      expect(projects).toContain("web  -- work/web");
      expect(options).toContain("--start  -- start a container that does not run");
    }
  });

  test.concurrent("fish", async () => {
    const lines = [
      "repoman unin",
      "./repoman up w",
      "repoman up --stack=dem",
      "repoman profile show z:",
      "repoman profile show q",
      "repoman restore --to=i",
      "repoman restore --to ~/some",
      "repoman shell web -- u",
      "repoman nonsense w",
      "repoman up $(touch pwned) w",
      "repoman shell --roo",
    ];
    expect(await askFish(scripts.fish ?? "", lines, place)).toEqual([
      ["uninstall\ttake repoman off this host; repositories and backups stay"],
      ["web\twork/web"],
      ["--stack=demo"],
      ["z:b;touch>pwned"],
      ["q(touch|cat)q"],
      ["--to=in/"],
      ["~/some dir/"],
      [],
      [],
      ["web\twork/web"],
      ["--root\tas root of the container"],
    ]);
  });
});
