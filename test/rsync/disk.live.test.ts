import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshness, mirror, probe, readRecord } from "../../rsync/index.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { differences } from "./same-tree.ts";
import { fillSmall, makeExt4, workbench } from "./workbench.ts";

const MARKER = ".repoman-backup.json";

describe("the first run on a disk", () => {
  test("marks it, copies, and says what it is", async () => {
    const bench = await workbench("ext4");
    const { spec } = bench;
    fillSmall(bench);
    expect(await probe(spec)).toMatchObject({ ok: true, copyExists: false });
    expect(readdirSync(spec.backupRoot)).toEqual(["lost+found"]);

    const record = await mirror(spec);
    expect(record).toMatchObject({ result: "ok", warnings: [], counts: { files: 11, copied: 9 } });
    expect(await differences(spec.source, spec.destination)).toEqual([]);
    const marker = JSON.parse(readFileSync(join(spec.backupRoot, MARKER), "utf8"));
    expect(marker).toMatchObject({ id: record.disk?.id, host: "host-a", stack: "stack-a" });
    const found = await probe(spec);
    expect(found).toMatchObject({ ok: true, copyExists: true, disk: record.disk });
    expect(freshness(await readRecord(spec.recordsDir, "demo"), spec, Date.now(), found)).toEqual({
      fresh: true,
    });
  });

  test("says once that a plain folder is no separate disk", async () => {
    const bench = await workbench("plain");
    fillSmall(bench);
    expect((await mirror(bench.spec)).warnings.join()).toContain("not a separate disk");
    expect((await mirror(bench.spec)).warnings).toEqual([]);
  });

  test("leaves what lies there already, and deletes nothing beside its copies", async () => {
    const bench = await workbench("ext4");
    fillSmall(bench);
    writeFileSync(join(bench.spec.backupRoot, "mine"), "keep");
    mkdirSync(join(bench.spec.backupRoot, "other"));
    await mirror(bench.spec);
    expect(readdirSync(bench.spec.backupRoot).sort()).toEqual(
      [".repoman", MARKER, "demo", "lost+found", "mine", "other"].sort(),
    );
  });

  test("is one claim, however many repositories begin at once", async () => {
    const bench = await workbench("ext4");
    const specs = Array.from({ length: 6 }, (_, i) => {
      const source = `${bench.spec.source}-${i}`;
      mkdirSync(source);
      writeFileSync(join(source, "x"), String(i));
      const destination = join(bench.spec.backupRoot, "deep", "er", `demo-${i}`);
      return { ...bench.spec, name: `demo-${i}`, source, destination };
    });
    const records = await Promise.all(specs.map((spec) => mirror(spec)));
    expect(records.map(({ result }) => result)).toEqual(Array(6).fill("ok"));
    expect(new Set(records.map(({ disk }) => disk?.id)).size).toBe(1);
  });

  test("waits for what fstab mounts there", async () => {
    const bench = await workbench("plain");
    fillSmall(bench);
    await appendFile("/etc/fstab", `nas:/x ${bench.spec.backupRoot} nfs noauto 0 0\n`);
    onTestFinished(async () => {
      const lines = readFileSync("/etc/fstab", "utf8").split("\n");
      writeFileSync("/etc/fstab", lines.filter((line) => !line.startsWith("nas:/x")).join("\n"));
    });
    const record = await mirror(bench.spec);
    expect(record.result).toBe("unreachable");
    expect(record.reason).toContain("/etc/fstab says that nas:/x is mounted");
    expect(readdirSync(bench.spec.backupRoot)).toEqual([]);
  });
});

test("a disk that moved to another device is the same disk", async () => {
  const bench = await workbench("ext4");
  fillSmall(bench);
  const first = await mirror(bench.spec);
  await unmountBelow(bench.spec.backupRoot);
  const spare = join(bench.folder, "spare");
  await makeExt4(spare, 8);
  mkdirSync(join(bench.folder, "elsewhere"));
  await mount("-o", "loop", spare, join(bench.folder, "elsewhere"));
  await mount("-o", "loop", bench.image, bench.spec.backupRoot);
  const second = await mirror(bench.spec);
  expect(second).toMatchObject({ result: "ok", counts: { copied: 0 } });
  expect(second.disk?.source).not.toBe(first.disk?.source);
});

test("a backup root behind a symbolic link is the disk that it leads to", async () => {
  const bench = await workbench("ext4");
  fillSmall(bench);
  const link = join(bench.folder, "link");
  symlinkSync(bench.spec.backupRoot, link);
  const spec = { ...bench.spec, backupRoot: link, destination: join(link, "demo") };
  expect((await mirror(spec)).result).toBe("ok");
  await unmountBelow(bench.spec.backupRoot);
  expect((await mirror(spec)).result).toBe("refused");
  expect(readdirSync(bench.spec.backupRoot)).toEqual([]);
});
