import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { type BackupSpec, mirror, pending } from "../../rsync/index.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { everything } from "./everything.ts";
import { equal, repaired } from "./repaired.ts";
import { differences } from "./same-tree.ts";
import { workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-mirror.ts", import.meta.url));

describe("a copy is the repository, byte for byte", () => {
  test("with every kind of entry, and then there is nothing to do", async () => {
    const bench = await workbench("ext4");
    await everything(bench.spec.source);
    const record = await mirror(bench.spec);
    expect(record).toMatchObject({ result: "ok", failures: [], warnings: [] });
    await equal(bench);
    const [copy, original] = await Promise.all([
      stat(join(bench.spec.destination, "sparse")),
      stat(join(bench.spec.source, "sparse")),
    ]);
    expect(copy.blocks).toBeLessThanOrEqual(original.blocks + 8);
    expect(await pending(bench.spec)).toMatchObject({ changes: 0, deletions: 0 });
    expect(await mirror(bench.spec)).toMatchObject({
      result: "ok",
      counts: { created: 0, deleted: 0, copied: 0, files: record.counts.files },
    });
  });

  test("after edits that keep the size and the second", async () => {
    const bench = await workbench("ext4");
    const file = join(bench.spec.source, "file");
    writeFileSync(file, "one");
    utimesSync(file, 1_700_000_000.25, 1_700_000_000.25);
    await mirror(bench.spec);
    writeFileSync(file, "two");
    utimesSync(file, 1_700_000_000.75, 1_700_000_000.75);
    await repaired(bench);
  });

  test("after a file became a folder, a folder a link, and a link a file", async () => {
    const bench = await workbench("ext4");
    const at = (name: string) => join(bench.spec.source, name);
    for (let i = 0; i < 20; i++) writeFileSync(at(`bulk-${i}`), "bulk");
    writeFileSync(at("a"), "file");
    mkdirSync(at("b"));
    writeFileSync(at("b/inside"), "inside");
    symlinkSync("a", at("c"));
    await mirror(bench.spec);
    for (const name of ["a", "b", "c"]) rmSync(at(name), { recursive: true });
    mkdirSync(at("a"));
    writeFileSync(at("a/inside"), "now inside");
    symlinkSync("a", at("b"));
    writeFileSync(at("c"), "file");
    await repaired(bench);
  });

  test("when names of projects and folders look like something else", async () => {
    const bench = await workbench("ext4");
    const source = join(bench.folder, "repos", "-n host::module [a]* 'b\n");
    mkdirSync(source);
    writeFileSync(join(source, "x"), "x");
    const destination = join(bench.spec.backupRoot, "a:b", "-rf *", "$(reboot)\n~");
    const spec = { ...bench.spec, source, destination };
    expect((await mirror(spec)).result).toBe("ok");
    expect(await differences(source, destination)).toEqual([]);
    writeFileSync(join(source, "y"), "y");
    expect((await mirror(spec)).result).toBe("ok");
    expect(await differences(source, destination)).toEqual([]);
  });
});

describe("what a run does", () => {
  /** Runs in a process whose rsync writes down how it is started. */
  async function started(spec: BackupSpec): Promise<{ phases: string[]; runs: string[] }> {
    const folder = join(spec.backupRoot, "../bin");
    const log = join(folder, "log");
    mkdirSync(folder, { recursive: true });
    const script = `#!/bin/sh\necho "$*" >>'${log}'\nPATH='${process.env.PATH}' exec rsync "$@"\n`;
    writeFileSync(join(folder, "rsync"), script, { mode: 0o755 });
    writeFileSync(log, "");
    const { stdout } = await execa(process.execPath, [SCRIPT, JSON.stringify(spec)], {
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    const lines = stdout.split("\n");
    expect(JSON.parse(lines.pop() ?? "")).toMatchObject({ result: "ok" });
    const runs = readFileSync(log, "utf8").split("\n").filter(Boolean);
    return {
      phases: lines.filter((line) => line !== "begun"),
      runs: runs.map((args) => (args.includes("--dry-run") ? "dry" : "real")),
    };
  }

  test("is no comparison where there is no copy yet, and no more than that where nothing is pending", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    await everything(spec.source);
    expect(await started(spec)).toEqual({ phases: ["checking", "copying"], runs: ["real"] });
    expect(await started(spec)).toEqual({ phases: ["checking", "comparing"], runs: ["dry"] });
    writeFileSync(join(spec.source, "new"), "new");
    expect(await started(spec)).toEqual({
      phases: ["checking", "comparing", "copying"],
      runs: ["dry", "real"],
    });
    await equal(bench);
    // A folder that somebody has made for the copy is none.
    const empty = { ...spec, name: "empty", destination: join(spec.backupRoot, "empty") };
    mkdirSync(empty.destination);
    expect((await started(empty)).runs).toEqual(["real"]);
  });
});

describe("a disk that cannot keep everything", () => {
  test("keeps what it can, and that is said once", async () => {
    const bench = await workbench("none");
    const { spec } = bench;
    await mount("-t", "ramfs", "ramfs", spec.backupRoot);
    writeFileSync(join(spec.source, "a"), "a");
    writeFileSync(join(spec.source, "b"), "b");
    await execa("setfattr", ["-n", "user.note", "-v", "value", join(spec.source, "a")]);
    await execa("setfacl", ["-m", "u:100789:rw", join(spec.source, "b")]);
    const first = await mirror(spec);
    expect(first).toMatchObject({ result: "ok" });
    expect(first.warnings.join()).toContain(
      "does not keep access control lists and extended attributes",
    );
    writeFileSync(join(spec.source, "c"), "c");
    expect(await mirror(spec)).toMatchObject({ result: "ok", warnings: [] });
    expect(await mirror(spec)).toMatchObject({ result: "ok", counts: { copied: 0 } });
    await unmountBelow(bench.folder);
  });
});
