// `repoman trust` needs no server: what it goes by and what it writes are files.

import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { inProcess } from "./in-process.ts";

const ROOT = join(import.meta.dirname, "../..");

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "repoman-trust-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  mkdirSync(join(home, "project"));
  for (const name of ["Pulumi.yaml", "package.json"]) {
    copyFileSync(join(ROOT, name), join(home, "project", name));
  }
  write(".config/repoman/repoman.toml", REGISTRY);
});

const REGISTRY = `[defaults]
backup_root = "/backup"
default_image = "one"
[[project]]
name = "alpha"
env.KEPT = "1"
[[project]]
name = "beta"
ports = ["8080:80"]
`;
const ASKED = `# harmless
image = "two"
ports = ["3000"]
[env]
KEPT = "1"
NEW = "2"
[[mount]]
source = "~/.ssh"
path = "/ssh"
`;

function write(path: string, text: string | Buffer) {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

const asks = (text: string | Buffer) => write("repos/alpha/.repoman.toml", text);

const repoman = (...args: string[]) =>
  inProcess(args, {
    PATH: process.env.PATH,
    HOME: home,
    USER: "dev",
    REPOMAN_ROOT: join(home, "project"),
    PULUMI_STACK: "t",
  });

const trusted = () => {
  const folder = join(home, ".local/share/repoman/trusted");
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe("repoman trust", () => {
  test("shows the whole file and what it changes, and does nothing where nobody can be asked", async () => {
    asks(ASKED);
    const { exitCode, stdout, stderr } = await repoman("trust", "alpha");
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toMatch(/no terminal to ask at\n {2}Add --yes/);
    expect(stdout).toContain(".repoman.toml was never trusted, and has no effect");
    for (const line of ASKED.trimEnd().split("\n")) expect(stdout).toContain(`  | ${line}\n`);
    expect(stdout).toMatch(/\n {2}image +"one" → "two"\n/);
    expect(stdout).toMatch(/\n {2}env\.NEW +\(unset\) → "2"\n/);
    expect(stdout).toContain(`\n  mount /ssh`);
    expect(stdout).toMatch(/\n {2}~\/\.ssh at \/ssh, writable, credentials\n/);
    expect(stdout).toMatch(/\n {2}tcp:127\.0\.0\.1:3000 leads to tcp:127\.0\.0\.1:3000 inside\n/);
    expect(stdout).not.toContain("env.KEPT");
    expect(trusted()).toEqual([]);
  });

  test("stores what it printed, which then counts until it is revoked", async () => {
    asks(ASKED);
    write("repos/alpha/.repoman-exclude", "build/\n");
    expect((await repoman("trust", "--show")).exitCode).toBe(1);
    const { exitCode, stdout } = await repoman("trust", "alpha", "--yes");
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`  | image = "two"`);
    expect(stdout).toContain("  + leaves out build/");
    expect(trusted()).toHaveLength(2);
    const shown = await repoman("trust", "--show", "--json");
    expect(shown.exitCode).toBe(0);
    expect(JSON.parse(shown.stdout)[0]).toMatchObject({
      name: "alpha",
      files: [
        { file: ".repoman.toml", state: "trusted" },
        { file: ".repoman-exclude", state: "trusted" },
      ],
      changes: [],
    });

    asks(ASKED.replace("two", "three"));
    const changed = await repoman("trust", "alpha", "--show");
    expect(changed.exitCode).toBe(1);
    expect(changed.stdout).toMatch(/has changed since it was trusted/);
    expect(changed.stdout).toMatch(/\n {2}image +"two" → "three"\n/);

    expect((await repoman("trust", "alpha", "--revoke")).exitCode).toBe(2);
    const revoked = await repoman("trust", "alpha", "--revoke", "--yes");
    expect(revoked.exitCode).toBe(0);
    expect(revoked.stdout).toMatch(/\n {2}image +"two" → "one"\n/);
    expect(revoked.stdout).toContain("- no longer leaves out build/");
    expect(trusted()).toEqual([]);
    expect((await repoman("trust", "alpha", "--revoke")).exitCode).toBe(0);
  });

  test.each([
    ["is no TOML", "image = \n", /! 1:9: not TOML here/],
    ["asks for what is the user's alone", "backup = false\n", /! 1:1: .*"backup"/],
    ["is not text", Buffer.from([0xff, 0xfe]), /! it is not UTF-8 text/],
    ["takes a port that another project has", 'ports = ["8080:80"]\n', /! .*8080/],
  ])("refuses a file that %s, with the reason", async (_, text, reason) => {
    asks(text);
    const { exitCode, stdout, stderr } = await repoman("trust", "alpha", "--yes");
    expect(exitCode, stdout + stderr).toBe(1);
    expect(stdout).toMatch(reason);
    expect(stderr).toMatch(/cannot be trusted as it is/);
    expect(trusted()).toEqual([]);
  });

  test("lets no file write to the terminal", async () => {
    asks('# \u001b]0;x\u0007\u202e\nimage = "\\u001b[2Jtwo"\nenv = { "A" = "\\u202e" }\n');
    const { stdout, stderr } = await repoman("trust", "alpha", "--show");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
    expect(stdout + stderr).not.toMatch(/[\u001b\u0007\u202e]/);
    expect(stdout).toContain("\\u001b]0;x");
  });

  test("of a link, a folder or nothing at all says so", async () => {
    expect((await repoman("trust", "alpha")).stderr).toContain("Nothing to decide.");
    mkdirSync(join(home, "repos/alpha/.repoman.toml"), { recursive: true });
    const { exitCode, stdout } = await repoman("trust", "alpha", "--yes");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("! it is a directory");
  });

  test("of a file that is gone says what holds", async () => {
    asks(ASKED);
    await repoman("trust", "alpha", "--yes");
    rmSync(join(home, "repos/alpha/.repoman.toml"));
    const { exitCode, stdout } = await repoman("trust", "alpha", "--show");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("is gone; what was trusted holds");
  });

  test("wants a name that exists, and one thing at a time", async () => {
    expect((await repoman("trust", "alhpa")).stderr).toContain("Did you mean alpha?");
    for (const args of [[], ["alpha", "--show", "--revoke"], ["alpha", "--json"]]) {
      expect((await repoman("trust", ...args)).exitCode).toBe(2);
    }
  });
});
