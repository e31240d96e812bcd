// What is trusted of a repository's own file, from the question at a terminal to the container.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { expectNoChanges, instance, repoman, Shared, up } from "../engine/estate.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { KEY, openTerminal } from "./terminal.ts";

const shared = new Shared({ images: ["busybox"] });
let daemon: Daemon;
let host: Host;

beforeAll(async () => {
  ({ daemon, host } = shared);
  await host.repo("alpha", { ".repoman.toml": '[env]\nCOLOUR = "blue"\n' });
  host.writeRegistry({ project: [{ name: "alpha" }] });
});

const trust = (...args: string[]) =>
  openTerminal(host, [join(host.project, "bin/repoman"), "trust", ...args], {
    env: { PULUMI_STACK: "rig" },
  });
const config = async () => (await instance(daemon, "alpha")).config;
const write = (text: string) => host.write(join(host.reposRoot, "alpha/.repoman.toml"), text);

test("the project is chosen at a terminal, and no is the answer of a mere Enter", async () => {
  const terminal = trust();
  await terminal.shows("Which project?");
  terminal.type(KEY.enter);
  await terminal.shows("Trust this?");
  terminal.type(KEY.enter);
  const { exitCode, text } = await terminal.done;
  expect(exitCode, text).toBe(1);
  expect(text).toContain("Nothing was changed.");
  expect((await repoman(host, 1, "trust", "alpha", "--show")).stdout).toContain("never trusted");
});

test("what was shown is trusted, though the file changes while one thinks", async () => {
  const terminal = trust("alpha");
  await terminal.shows("Trust this?");
  write('[env]\nCOLOUR = "red"\nEVIL = "1"\n');
  terminal.type("y");
  const { exitCode, text } = await terminal.done;
  expect(exitCode, text).toBe(0);
  expect(text).toMatch(/has changed meanwhile; what was shown is what is trusted/);
  await up(host);
  expect(await config()).toMatchObject({ "environment.COLOUR": "blue" });
  expect(await config()).not.toHaveProperty("environment.EVIL");
});

test("preview tells of the change and how to decide, and what was trusted stays in force", async () => {
  // Another stack than the shell's has to be named, as `npm start` does with the demo.
  const { all, exitCode } = await host.repoman(
    ["preview", "--expect-no-changes", "--stack", "rig"],
    { env: { PULUMI_STACK: "other" } },
  );
  expect(exitCode, all).toBe(0);
  expect(all).toMatch(/asks for env and is changed since it was trusted, and what was trusted/);
  expect(all).toContain("`bin/repoman trust --stack rig alpha`");
  write("not TOML at all");
  await expectNoChanges(host);

  await repoman(host, 0, "trust", "alpha", "--revoke", "--yes");
  await up(host);
  expect(await config()).not.toHaveProperty("environment.COLOUR");
  const journal = readFileSync(join(host.home, ".local/state/repoman/log/repoman.jsonl"), "utf8");
  expect(journal).toMatch(/"command":"trust".*\n(.*\n)*.*"command":"trust --revoke"/);
  expect(journal).not.toContain("blue");
});
