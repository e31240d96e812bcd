// The journal: whole lines from several processes, turned over when it is full, and followed.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { followJournal, parseLines, readJournal } from "../../cli/estate/journal-reader.ts";
import { type JournalLine, journal } from "../../cli/journal.ts";
import { appendLine, JOURNAL, KEPT } from "../../cli/journal-file.ts";
import type { Setting } from "../../cli/setting.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

const line = (command: string): JournalLine => ({
  time: new Date().toISOString(),
  user: "dev",
  stack: "rig",
  command,
  names: [],
  result: "ok",
  pid: 1,
});
const commands = (lines: JournalLine[]) => lines.map(({ command }) => command);

function settingIn(home: string): Setting {
  return {
    root: home,
    project: "repoman",
    stack: "rig",
    env: { HOME: home, USER: "dev" },
    variables: {},
    stackDir: join(home, "stacks"),
    backend: undefined,
  };
}

describe("writing", () => {
  test("a line says who did what to whom, and how it ended", async () => {
    const names = ["alpha", "beta"];
    await journal(settingIn(folder), { command: "up", names, result: "ok", exitCode: 0 });
    const found = await readJournal(join(folder, ".local/state/repoman/log"));
    expect(found).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        user: "dev",
        stack: "rig",
        command: "up",
        names,
        result: "ok",
        exitCode: 0,
        pid: process.pid,
      },
    ]);
    const file = join(folder, ".local/state/repoman/log", JOURNAL);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("goes to logdir of the registry, also of one that is not right", async () => {
    const logdir = join(folder, "logs");
    const registry = join(folder, ".config/repoman/repoman.toml");
    await import("node:fs/promises").then(({ mkdir }) =>
      mkdir(join(folder, ".config/repoman"), { recursive: true }),
    );
    writeFileSync(registry, `[defaults]\nlogdir = "${logdir}"\n[[project]]\nnmae = "x"\n`);
    await journal(settingIn(folder), { command: "up", result: "ok" });
    expect(commands(await readJournal(logdir))).toEqual(["up"]);
  });

  test("is written by a process of its own where its folder may not answer", async () => {
    const writer = join(import.meta.dirname, "../../cli/journal-writer.ts");
    const write = (into: string) =>
      spawnSync(process.execPath, [writer, into, JSON.stringify(line("up"))], { encoding: "utf8" });
    expect(write(join(folder, "logs"))).toMatchObject({ status: 0, stderr: "" });
    expect(commands(await readJournal(join(folder, "logs")))).toEqual(["up"]);
    writeFileSync(join(folder, "file"), "");
    expect(write(join(folder, "file"))).toMatchObject({ status: 1, stderr: "EEXIST\n" });
  });

  test("a folder that cannot be written is no failure of the command", async () => {
    writeFileSync(join(folder, ".local"), "a file");
    await expect(
      journal(settingIn(folder), { command: "up", result: "ok" }),
    ).resolves.toBeUndefined();
  });

  test("lines of several processes stay whole, though the journal is turned over meanwhile", async () => {
    const module = pathToFileURL(join(import.meta.dirname, "../../cli/journal-file.ts")).href;
    const script = `const { appendLine } = await import(${JSON.stringify(module)});
      for (let i = 0; i < 60; i++) {
        const line = { time: new Date().toISOString(), command: process.argv[1] + "-" + i, names: ["x".repeat(500)], result: "ok" };
        await appendLine(${JSON.stringify(folder)}, line, 50_000);
      }`;
    const writers = ["a", "b", "c"].map((name) =>
      spawn(process.execPath, ["--input-type=module", "-e", script, name], { stdio: "inherit" }),
    );
    const codes = await Promise.all(writers.map(async (each) => (await once(each, "exit"))[0]));
    expect(codes).toEqual([0, 0, 0]);
    const found = commands(await readJournal(folder));
    expect(found).toHaveLength(180);
    expect(new Set(found).size).toBe(180);
  });

  test("full ones are kept up to a number, the oldest going first", async () => {
    for (let i = 0; i < 10; i++) await appendLine(folder, line(`command-${i}`), 1);
    const kept = readdirSync(folder).filter((name) => name.startsWith(JOURNAL));
    expect(kept).toHaveLength(KEPT + 1);
    expect(commands(await readJournal(folder))).toEqual(
      [5, 6, 7, 8, 9].map((each) => `command-${each}`),
    );
  });
});

describe("reading", () => {
  test("passes over what is cut off or not of it", () => {
    const good = JSON.stringify(line("up"));
    const text = `${good}\n{"time":"2026-01-\n[]\nnull\n{"time":"never","command":"x","names":[]}\n${good}`;
    expect(commands(parseLines(text))).toEqual(["up", "up"]);
  });

  test("of no journal gives nothing", async () => {
    expect(await readJournal(join(folder, "nowhere"))).toEqual([]);
  });

  test("follows: all that there is, then what comes, also into a new file", async () => {
    for (const name of ["one", "two"]) await appendLine(folder, line(name));
    const given: string[][] = [];
    const stop = new AbortController();
    const { promise: whole, resolve } = Promise.withResolvers<void>();
    const done = followJournal(
      folder,
      (lines) => {
        given.push(commands(lines));
        if (given.flat().includes("six")) resolve();
      },
      stop.signal,
    );
    await expect.poll(() => given).toEqual([["one", "two"]]);
    await appendLine(folder, line("three"));
    await expect.poll(() => given.flat()).toContain("three");
    // Turned over with a line that was not read yet, and once more.
    await appendLine(folder, line("four"));
    await appendLine(folder, line("five"), 1);
    await expect.poll(() => given.flat()).toContain("five");
    await appendLine(folder, line("six"), 1);
    await whole;
    stop.abort();
    await done;
    expect(given.flat()).toEqual(["one", "two", "three", "four", "five", "six"]);
    expect(readFileSync(join(folder, JOURNAL), "utf8")).toContain("six");
  });
});
