// sync, backup and restore as a user types them, on a disk of its own and without an Incus.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { paths } from "../../host/paths.js";
import type { Finished } from "../rig/command.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { until } from "../rig/place.ts";
import { equal } from "../rsync/repaired.ts";
import { differences } from "../rsync/same-tree.ts";
import { rsyncs } from "../rsync/victim.ts";
import { KEY, openTerminal } from "./terminal.ts";

let host: Host;
let alpha: string;
let initialised: Finished;

beforeAll(async () => {
  host = await makeHost({ user: "root" });
  alpha = await host.repo("alpha", { "src/main.c": "int main;\n", "node_modules/x/y": "made" });
  await host.repo("group/beta", { readme: "beta\n" });
  declare();
  initialised = await repoman(0, "backup", "init");
  await repoman(0, "sync");
});
afterAll(() => host?.dispose());
beforeEach(async () => {
  declare();
  if (!host.backup.mounted) await host.backup.mount();
});

function declare(): void {
  host.writeRegistry({
    project: [
      { name: "alpha" },
      { name: "beta", repo: "group/beta" },
      { name: "bare", backup: false },
    ],
  });
}

async function repoman(code: number, ...args: string[]): Promise<Finished> {
  const finished = await host.repoman(args);
  expect(finished.exitCode, finished.all).toBe(code);
  return finished;
}

const json = async (...args: string[]) => JSON.parse((await repoman(0, ...args, "--json")).stdout);

/** A file of holes: it takes no room on the disk, but rsync some time. */
function makeVast(folder: string, gibibytes: number): void {
  writeFileSync(join(folder, "vast"), "");
  truncateSync(join(folder, "vast"), gibibytes * 2 ** 30);
}

const onTerminal = (...args: string[]) =>
  openTerminal(host, [join(host.project, "bin/repoman"), ...args], { columns: 80 });

describe("sync", () => {
  test("prints a line for each repository, and says when there is nothing to do", async () => {
    const { stdout } = await repoman(0, "sync");
    expect(stdout.split("\n").sort()).toEqual([
      "",
      "alpha: ok (nothing to do)",
      "beta: ok (nothing to do)",
    ]);
    expect((await repoman(0, "sync", "--quiet")).all).toBe("");
    appendFileSync(join(alpha, "src/main.c"), "more\n");
    expect((await repoman(0, "sync", "alpha", "--dry-run")).stdout).toMatch(
      /^alpha: pending \(1 file, 15 B, 0 to delete\)/,
    );
    expect((await repoman(0, "sync", "alpha")).stdout).toMatch(
      /^alpha: ok \(1 file, 15 B, 0 deleted, [\d.]+ s\)/,
    );
    const [line] = await json("sync", "beta");
    expect(line).toMatchObject({ name: "beta", result: "ok", files: 0, deletions: 0 });
  });

  test("exits 3 where the disk is away, 2 where there is no such copy", async () => {
    await host.backup.unmount();
    const { all } = await repoman(1, "sync", "alpha");
    expect(all).toContain("alpha: refused: Expected ext4");
    expect((await repoman(1, "sync", "--quiet", "alpha")).stdout).toMatch(/^alpha: refused: /);
    expect((await repoman(2, "sync", "bare")).all).toContain("the registry asks for no backup");
    expect((await repoman(2, "sync", "alhpa")).all).toContain("Did you mean alpha?");
    rmSync(host.backup.path, { recursive: true });
    expect((await repoman(3, "sync")).all).toContain("alpha: unreachable");
    mkdirSync(host.backup.path);
  });

  test("goes by the registry's limits and excludes", async () => {
    const project = (more: object) =>
      host.writeRegistry({
        project: [
          { name: "alpha", ...more },
          { name: "beta", repo: "group/beta" },
        ],
      });
    for (let i = 0; i < 6; i++) writeFileSync(join(alpha, `file-${i}`), "x");
    await repoman(0, "sync", "alpha");
    for (let i = 0; i < 6; i++) rmSync(join(alpha, `file-${i}`));
    project({ max_delete: 5 });
    expect((await repoman(1, "sync", "alpha")).all).toContain("more than the limit of 5");
    // Shown, and not done where nobody can be asked.
    const shown = await repoman(2, "sync", "alpha", "--allow-deletes");
    expect(shown.all).toMatch(/more than the limit of 5\n.*6 entries would be deleted on the copy/);
    expect(existsSync(join(host.backup.path, "alpha/file-0"))).toBe(true);
    const foreseen = await repoman(0, "sync", "alpha", "--allow-deletes", "--dry-run");
    expect(foreseen.stdout).toContain("6 to delete");
    const allowed = await repoman(0, "sync", "alpha", "--allow-deletes", "--yes");
    expect(allowed.all).toMatch(/6 entries would be deleted on the copy:\n {2}file-/);
    expect(allowed.stdout).toContain("6 deleted");
    project({ exclude: ["node_modules/"] });
    writeFileSync(join(alpha, "node_modules/x/z"), "new");
    expect((await repoman(0, "sync", "alpha")).stdout).not.toContain("1 file");
    expect(existsSync(join(host.backup.path, "alpha/node_modules/x/z"))).toBe(false);
    rmSync(join(alpha, "node_modules/x/z"));
    project({});
    // What the repository asks for itself counts once it was trusted.
    const scratch = (name: string) => join("alpha/scratch", name);
    mkdirSync(join(alpha, "scratch"));
    writeFileSync(join(alpha, ".repoman-exclude"), "/scratch/\n");
    writeFileSync(join(host.reposRoot, scratch("one")), "1");
    await repoman(0, "sync", "alpha");
    expect(existsSync(join(host.backup.path, scratch("one")))).toBe(true);
    await repoman(0, "trust", "alpha", "--yes");
    writeFileSync(join(host.reposRoot, scratch("two")), "2");
    await repoman(0, "sync", "alpha");
    expect(existsSync(join(host.backup.path, scratch("two")))).toBe(false);
    await repoman(0, "trust", "alpha", "--revoke", "--yes");
    await repoman(0, "sync", "alpha");
    expect(existsSync(join(host.backup.path, scratch("two")))).toBe(true);
    for (const name of ["scratch", ".repoman-exclude"]) {
      rmSync(join(alpha, name), { recursive: true });
    }
    await repoman(0, "sync", "alpha");
  });

  test("shows a bar for each on a terminal, and leaves only the lines behind", async () => {
    const beta = join(host.reposRoot, "group/beta");
    makeVast(alpha, 1);
    makeVast(beta, 1);
    const terminal = onTerminal("sync");
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(0);
    for (const name of ["alpha", "beta"]) {
      expect(text).toMatch(new RegExp(`${name} +━+ +\\d+ % .* of 1\\.0 GiB`));
    }
    expect(text).toMatch(/\d of 2 done · [\d.]+ [KMG]iB/);
    expect(text).toMatch(/alpha: ok \(1 file, 1\.0 GiB/);
    for (const folder of [alpha, beta]) rmSync(join(folder, "vast"));
    // All but nothing is gone: the floor holds it for an accident.
    await repoman(1, "sync", "alpha");
    const held = await repoman(2, "sync", "--allow-deletes");
    expect(held.all).toMatch(/alpha: The repository has \d+ bytes; at the last good run it had/);
    await repoman(0, "sync", "--allow-deletes", "--yes");
  });

  test("stopped by Ctrl-C or SIGTERM ends rsync, leaves nothing half, and says so", async () => {
    makeVast(alpha, 8);
    const recordsDir = paths(host.env).backupRecords;
    const terminal = onTerminal("sync", "alpha");
    await terminal.shows(/━.*\d+ %/);
    expect(rsyncs({ recordsDir }).length).toBeGreaterThanOrEqual(2);
    terminal.type(KEY.interrupt);
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(1);
    expect(text).toContain("alpha: failed");
    expect(text).toContain("It was interrupted");
    expect(rsyncs({ recordsDir })).toEqual([]);

    const running = host.spawnRepoman(["sync", "alpha"]);
    await until("rsync", () => rsyncs({ recordsDir }).length >= 3);
    running.kill("SIGTERM");
    const stopped = await running.done;
    expect(stopped.exitCode, stopped.all).toBe(1);
    expect(stopped.all).toContain("It was interrupted");
    expect(rsyncs({ recordsDir })).toEqual([]);
    expect((await repoman(0, "backup", "log")).stdout).toMatch(/alpha .* failed .*/);
    rmSync(join(alpha, "vast"));
    await repoman(0, "sync");
    const { path: backupRoot } = host.backup;
    await equal({ spec: { source: alpha, destination: join(backupRoot, "alpha"), backupRoot } });
  });
});

describe("backup", () => {
  test("init says what it sees, marks once, and refuses what is not the disk", async () => {
    const { stdout, all } = await repoman(0, "backup", "init");
    expect(stdout).toContain(host.backup.path);
    expect(stdout).toMatch(/mounted {2}ext4 from \/dev\/loop\d+ at /);
    expect(stdout).toMatch(/space {4}[\d.]+ [KMG]iB of [\d.]+ [KMG]iB free/);
    // Offered, and never forced.
    const offer = 'To leave them out, write into [defaults]: exclude = ["node_modules/"]';
    expect(initialised.all).toContain(offer);
    expect(all).toMatch(/marked already; nothing was changed/);
    expect(all).toContain(offer);
    expect(existsSync(join(host.backup.path, "alpha/node_modules/x/y"))).toBe(true);
    expect(await json("backup", "init")).toMatchObject({
      result: "unchanged",
      standing: "known",
      mount: { fstype: "ext4" },
    });
    const terminal = onTerminal("backup", "init", "--replace");
    await terminal.shows("Take this disk from now on?");
    terminal.type("y");
    await terminal.shows("Leave out");
    terminal.type(KEY.space + KEY.enter);
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(0);
    const registry = readFileSync(join(host.home, ".config/repoman/repoman.toml"), "utf8");
    expect(registry).toContain('exclude = ["node_modules/"]');
    declare();
    await host.backup.unmount();
    expect((await repoman(1, "backup", "init")).all).toContain("Expected ext4");
    // Not a disk of its own: nobody is there to say that it is meant.
    expect((await repoman(2, "backup", "init", "--replace")).all).toContain("there is no terminal");
    expect(existsSync(join(host.backup.path, ".repoman-backup.json"))).toBe(false);
  });

  test("verify reads what it is told, and names what has rotted, which sync --checksum mends", async () => {
    expect((await repoman(0, "backup", "verify", "--full")).stdout).toMatch(
      /alpha: ok \(read .* \(100 %\), \d+ of \d+ files/,
    );
    const copy = join(host.backup.path, "alpha/src/main.c");
    writeFileSync(copy, Buffer.alloc(statSync(copy).size, "!"));
    await host.run(["touch", "-r", join(alpha, "src/main.c"), copy]);
    const { all } = await repoman(1, "backup", "verify", "alpha", "--sample", "100%");
    expect(all).toContain("alpha: different");
    expect(all).toContain("other content: src/main.c");
    expect((await repoman(0, "sync", "alpha")).stdout).toContain("nothing to do");
    expect((await repoman(0, "sync", "alpha", "--checksum")).stdout).toContain("1 file");
    expect(await json("backup", "verify", "alpha", "--full")).toMatchObject([
      { name: "alpha", result: "ok", different: 0 },
    ]);
    await repoman(2, "backup", "verify", "--sample", "none");
  });

  test("log shows the runs of each, how they grew, and what is overdue", async () => {
    await repoman(0, "sync");
    const { stdout } = await repoman(0, "backup", "log");
    expect(stdout).toMatch(/^NAME +LAST GOOD +RESULT +FILES +SIZE/);
    expect(stdout).toMatch(/\nalpha +just now +ok +\d+ +[\d.]+ \w+ +[▁▂▃▄▅▆▇█]+/);
    expect(stdout).not.toContain("Overdue");
    const one = await repoman(0, "backup", "log", "alpha", "-n", "3");
    expect(one.stdout).toMatch(/size {2}[▁▂▃▄▅▆▇█]+ /);
    expect(one.stdout).toMatch(/Verified .*: all as it should be/);
    host.writeRegistry({ defaults: { backup_max_age: "1s" }, project: [{ name: "alpha" }] });
    const overdue = /Overdue: 1 of 1\n {2}alpha: the last good copy is .* old/;
    await until("the copy to be a second old", async () =>
      overdue.test((await repoman(0, "backup", "log")).stdout),
    );
    const [first] = await json("backup", "log");
    expect(first).toMatchObject({ name: "alpha", fresh: false, result: "ok" });
    expect(first.runs.length).toBeGreaterThan(3);
  });
});

describe("restore", () => {
  test("of all repositories rebuilds the disk", async () => {
    const to = join(host.home, "rebuilt");
    rmSync(to, { recursive: true, force: true });
    const { stdout } = await repoman(0, "restore", "--all", "--to", to);
    expect(stdout).toMatch(/alpha: restored to .*rebuilt\/alpha .*, and verified/);
    for (const name of ["alpha", "group/beta"]) {
      expect(await differences(join(host.reposRoot, name), join(to, name))).toEqual([]);
      const fsck = await host.run(["git", "-C", join(to, name), "fsck", "--strict"]);
      const status = await host.run(["git", "-C", join(to, name), "status", "--porcelain"]);
      expect([fsck.exitCode, status.stdout]).toEqual([
        0,
        (await host.run(["git", "-C", join(host.reposRoot, name), "status", "--porcelain"])).stdout,
      ]);
    }
  });

  test("goes over nothing unless told, and then not without a word", async () => {
    appendFileSync(join(alpha, "src/main.c"), "mine\n");
    const before = readFileSync(join(alpha, "src/main.c"), "utf8");
    expect((await repoman(4, "restore", "alpha")).all).toContain("not empty");
    expect((await repoman(2, "restore", "alpha", "--force")).all).toContain("there is no terminal");
    expect((await repoman(0, "restore", "alpha", "--dry-run")).all).toMatch(
      /1 file to copy.*\n(.*\n)* {4}src\/main\.c/,
    );
    expect(readFileSync(join(alpha, "src/main.c"), "utf8")).toBe(before);
    const { stdout } = await repoman(
      0,
      "restore",
      "alpha",
      "--path",
      "src/main.c",
      "--force",
      "--yes",
    );
    expect(stdout).toContain("and verified");
    expect(readFileSync(join(alpha, "src/main.c"), "utf8")).not.toContain("mine");
    for (const args of [
      [],
      ["--all"],
      ["alpha", "--all"],
      ["alpha", "--delete"],
      ["alpha", "--path", "../x"],
      ["alpha", "--at", "1999-01-01"],
    ]) {
      await repoman(2, "restore", ...args);
    }
  });

  test("offers the older states on a terminal, and takes them by date elsewhere", async () => {
    const snapshot = join(host.backup.path, ".zfs/snapshot/auto_2026-04-28_00:15");
    mkdirSync(join(snapshot, "alpha"), { recursive: true });
    writeFileSync(join(snapshot, "alpha/old"), "old");
    expect((await repoman(0, "restore", "alpha", "--list")).stdout).toMatch(
      /alpha +2026-04-28 00:15:00, .* ago +auto_2026/,
    );
    const to = join(host.home, "older");
    await repoman(0, "restore", "alpha", "--at", "2026-05-01", "--to", to);
    expect(readFileSync(join(to, "old"), "utf8")).toBe("old");
    // Of all: one that is not in it fails alone.
    const all = await repoman(1, "restore", "--all", "--at", "2026-05-01", "--to", `${to}-all`);
    expect(all.all).toMatch(/beta: .*auto_2026-04-28_00:15 does not hold group\/beta/);
    expect(readFileSync(join(`${to}-all`, "alpha/old"), "utf8")).toBe("old");
    expect(existsSync(join(`${to}-all`, "group"))).toBe(false);
    const terminal = openTerminal(host, [
      join(host.project, "bin/repoman"),
      "restore",
      "--to",
      `${to}-2`,
    ]);
    await terminal.shows("Which repository?");
    terminal.type(KEY.enter);
    await terminal.shows("as it was when?");
    terminal.type(KEY.down);
    terminal.type(KEY.enter);
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(0);
    expect(readFileSync(join(`${to}-2`, "old"), "utf8")).toBe("old");
  });

  test("takes another disk, and a folder of dated copies of it, where they are named", async () => {
    const from = join(host.home, "disk");
    await host.run(["cp", "-a", host.backup.path, from]);
    writeFileSync(join(from, "alpha/only-there"), "there");
    const to = join(host.home, "named");
    await repoman(0, "restore", "alpha", "--from", from, "--to", to);
    expect(readFileSync(join(to, "only-there"), "utf8")).toBe("there");

    const dated = join(host.home, "dated");
    for (const name of ["alpha", "group/beta"]) {
      mkdirSync(join(dated, "2026-03-01", name), { recursive: true });
      writeFileSync(join(dated, "2026-03-01", name, "march"), name);
    }
    writeFileSync(join(dated, "2026-03-01/alpha/more"), "more");
    const older = ["--snapshots", dated, "--at", "2026-03-01"];
    await repoman(0, "restore", "--all", ...older, "--to", `${to}-2`);
    expect(readFileSync(join(`${to}-2`, "group/beta/march"), "utf8")).toBe("group/beta");
    await repoman(0, "restore", "alpha", ...older, "--path", "more", "--to", `${to}-3`);
    expect(readdirSync(`${to}-3`)).toEqual(["more"]);
  });
});
