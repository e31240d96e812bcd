import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { catalogue } from "../../cli/catalogue.ts";
import { definition } from "../../cli/program.ts";
import { Fault } from "../../host/fault.js";
import {
  inOwnWords,
  proseInOwnWords,
  remedyInOwnWords,
  STACKED,
  UNSTACKED,
} from "../../host/own-words.js";
import { hostStack } from "../../host/paths.js";
import { incusCommand, ownCommand, reachAnew, reachBy, reachVariable } from "../../host/reach.js";
import { fromResponse } from "../../incus/mapping.ts";
import { guarded } from "../../providers/engine.ts";

const home = mkdtempSync(join(tmpdir(), "repoman-words-"));
const env = { HOME: home, PATH: "/nonexistent" };
afterAll(() => rmSync(home, { recursive: true }));
afterEach(() => reachAnew(undefined, env));

const takesStack = (command: Command) => command.options.some(({ long }) => long === "--stack");

test("every command of the catalogue is known, with whether it takes --stack", async () => {
  const commands = await Promise.all(
    catalogue.map(async (entry) => ({ entry, command: await definition(entry) })),
  );
  for (const { entry, command } of commands) {
    const { name } = entry;
    const stacked = [command, ...command.commands].some(takesStack);
    const known: Record<string, readonly string[]> = STACKED;
    expect([name, Object.hasOwn(known, name)]).toEqual([name, stacked]);
    if (!stacked) expect(UNSTACKED).toContain(name);
    const subs = command.commands.filter(takesStack).map((each) => each.name());
    if (stacked) expect([name, known[name]]).toEqual([name, takesStack(command) ? [] : subs]);
  }
  const names = catalogue.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(STACKED)));
});

describe("with --stack other", () => {
  const said = (text: string) => {
    reachAnew("other", env);
    return inOwnWords(text, env);
  };

  test.each(
    Object.entries(STACKED).flatMap(([name, subs]) =>
      subs.length === 0 ? [name] : subs.map((sub) => `${name} ${sub}`),
    ),
  )("%s names it", (command) => {
    const expected = `bin/repoman ${command} --stack other`;
    expect(said(`Look: repoman ${command} web`)).toBe(`Look: ${expected} web`);
    expect(said(`repoman ${command}`)).toBe(expected);
    expect(said(`a thing\n  repoman ${command} web-2.x --flag`)).toBe(
      `a thing\n  ${expected} web-2.x --flag`,
    );
    expect(said(`the next \`repoman ${command}\` does (repoman ${command} web), or not`)).toBe(
      `the next \`${expected}\` does (${expected} web), or not`,
    );
    expect(said(`repoman ${command} web --stack third`)).toBe(
      `bin/repoman ${command} web --stack third`,
    );
  });

  test.each([
    ["See: repoman daemon status", "See: bin/repoman daemon status"],
    [
      'eval "$(repoman env)" && pulumi cancel',
      'eval "$(bin/repoman env --stack other)" && pulumi cancel',
    ],
    ['"repoman --help" lists all.', '"bin/repoman --help" lists all.'],
    ['"repoman up --help" shows', '"bin/repoman up --help" shows'],
    [
      "Run npm start or repoman setup, which",
      "Run npm start or bin/repoman setup --stack other, which",
    ],
    ["EDITOR=… repoman config edit", "EDITOR=… bin/repoman config edit --stack other"],
  ])("%j", (text, expected) => expect(said(text)).toBe(expected));

  // Of objects, and what only looks like a command.
  test.each([
    "repoman did not make it",
    "the one that comes with repoman up to now",
    "/srv/my repoman up/web is a file",
    "in use: repoman up (pid 12) is at work on it",
    'there is no project "repoman up"',
    "run: norepoman up",
    "pip repoman updates",
    "run: repoman up-to-date",
    "repoman/repoman.toml",
    "bin/repoman up --stack other web",
  ])("%j stays", (text) => expect(said(text)).toBe(text));
});

test("the stack that the shell finds by itself is not named", () => {
  for (const [stack, shell] of [
    [hostStack(), env],
    [undefined, env],
    ["other", { ...env, PULUMI_STACK: "other" }],
  ] as const) {
    reachAnew(stack, shell);
    expect(inOwnWords("repoman up", shell)).toBe("bin/repoman up");
  }
  const shell = { ...env, PULUMI_STACK: "other" };
  reachAnew(hostStack(), shell);
  expect(inOwnWords("repoman up", shell)).toBe(`bin/repoman up --stack ${hostStack()}`);
});

test("repoman is called by its name where that leads to this one", () => {
  const bin = join(home, "bin");
  mkdirSync(bin);
  symlinkSync(join(import.meta.dirname, "../../bin/repoman"), join(bin, "repoman"));
  expect(ownCommand({ PATH: `/nonexistent:${bin}` })).toEqual(["repoman"]);
  expect(ownCommand({ PATH: bin, REPOMAN_ROOT: "/else" })).toEqual(["/else/bin/repoman"]);
  expect(ownCommand({ PATH: "" })).toEqual(["bin/repoman"]);
});

test("the incus client is told the server where it would talk to another", () => {
  const text = "Delete it: incus delete --project p web (`incus operation list`)";
  reachAnew(undefined, env);
  expect(inOwnWords(text, env)).toBe(text);
  const own = join(home, ".local/state/repoman/incus");
  expect(inOwnWords("incus list x", { ...env, INCUS_DIR: own })).toBe(
    `INCUS_DIR=${own} incus list x`,
  );
  // Found by its user's shell as well.
  expect(inOwnWords("incus list x", { ...env, INCUS_DIR: "/named" })).toBe("incus list x");
  reachBy({ incusDir: "/own incus" });
  expect(inOwnWords(text, env)).toBe(
    "Delete it: INCUS_DIR='/own incus' incus delete --project p web (`INCUS_DIR='/own incus' incus operation list`)",
  );
  expect(incusCommand(["config", "set", "web", "a=b c"], env)).toBe(
    "INCUS_DIR='/own incus' incus config set web 'a=b c'",
  );
  reachBy({ remote: "nas" });
  expect(inOwnWords(text, env)).toContain("Delete it: INCUS_REMOTE=nas incus delete");
  // The client's own configuration, another machine, and prose.
  for (const other of [
    "add it: incus remote add NAME ADDRESS",
    "there: incus config trust add NAME",
    "on nas: is incus running? (incus config get core.https_address)",
    "write it as `incus profile show` does",
    "is incus running?",
  ]) {
    expect(inOwnWords(other, env)).toBe(other);
  }
  mkdirSync(join(home, ".config/incus"), { recursive: true });
  writeFileSync(join(home, ".config/incus/config.yml"), "default-remote: nas\nremotes: {}\n");
  expect(inOwnWords(text, env)).toBe(text);
  reachAnew(undefined, env);
  expect(inOwnWords("incus list x", env)).toBe("INCUS_REMOTE=local incus list x");
});

test("what cannot be stopped is named with its project", () => {
  const about = { verb: "stop", subject: 'instance "web" in project "estate"' };
  const busy = { status: 400, error: "Instance is busy running a stop operation", errorCode: 400 };
  expect(fromResponse(about, busy).remedy).toContain("incus stop --force --project estate web");
});

test("Pulumi's program and the providers say the same as the command line", async () => {
  rmSync(join(home, ".config"), { recursive: true, force: true });
  reachAnew("other", env);
  reachBy({ remote: "nas" });
  const handed = { ...env, ...reachVariable(env) };
  reachAnew(undefined, env);
  expect(inOwnWords("repoman up; incus list x", handed)).toBe(
    "bin/repoman up --stack other; INCUS_REMOTE=nas incus list x",
  );
  // A plain `pulumi` hands nothing on; the provider knows its stack and server.
  const fail = () => {
    throw new Fault('the profile "repoman up" is there', { remedy: "Try: repoman up web" });
  };
  const inputs = { name: "web", owner: { id: "i", stack: "other" }, remote: "nas" };
  const handlers = guarded("container", {
    check: fail,
    diff: fail,
    create: fail,
    read: fail,
    update: fail,
    delete: fail,
  });
  await expect(handlers.diff("x", inputs, inputs)).rejects.toThrow(
    /^the profile "repoman up" is there\n {2}Try: (bin\/)?repoman up --stack other web$/,
  );
});

test("a list of names that have such words is none of ours", () => {
  reachAnew("other", env);
  const list = "would be deleted:\n  repoman up\n  incus list x";
  expect(proseInOwnWords(`${list}\n  Look: repoman up`, env)).toBe(
    `${list}\n  Look: bin/repoman up --stack other`,
  );
});

test("an error's first line is about objects, and stays", () => {
  reachAnew("other", env);
  expect(remedyInOwnWords("repoman up\n  repoman up", env)).toBe(
    "repoman up\n  bin/repoman up --stack other",
  );
});
