import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshness, mirror, pending, probe, readRecord } from "../../rsync/index.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { silentAutomount } from "./automount.ts";
import { differences } from "./same-tree.ts";
import { makeExt4, type Workbench, workbench } from "./workbench.ts";

/** A repository with a few files. */
function fill({ spec }: Workbench, count = 8): void {
  for (let i = 0; i < count; i++) writeFileSync(join(spec.source, `file-${i}`), `content ${i}\n`);
  mkdirSync(join(spec.source, "folder"), { recursive: true });
  writeFileSync(join(spec.source, "folder", "deep"), "deep\n");
}

/** Everything below a folder with its content, to show that nothing was touched. */
async function stateOf(folder: string): Promise<string> {
  const { stdout } = await execa("find", [folder, "-printf", "%P %s %T@ %i\n"]);
  return stdout.split("\n").sort().join("\n");
}

const MARKER = ".repoman-backup.json";

describe("the first run on a disk", () => {
  test("marks it, copies, and says what it is", async () => {
    const bench = await workbench("ext4");
    const { spec } = bench;
    fill(bench);
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
    fill(bench);
    expect((await mirror(bench.spec)).warnings.join()).toContain("not a separate disk");
    expect((await mirror(bench.spec)).warnings).toEqual([]);
  });

  test("leaves what lies there already, and deletes nothing beside its copies", async () => {
    const bench = await workbench("ext4");
    fill(bench);
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
    fill(bench);
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

describe("nothing is written and nothing lost", () => {
  /** One good run, then `trouble`, and then everything back in its place. */
  async function troubled(trouble: (bench: Workbench) => Promise<void>) {
    const bench = await workbench("ext4");
    fill(bench);
    expect((await mirror(bench.spec)).result).toBe("ok");
    await trouble(bench);
    return bench;
  }

  async function mended(bench: Workbench): Promise<void> {
    const { spec } = bench;
    await unmountBelow(spec.backupRoot);
    mkdirSync(spec.backupRoot, { recursive: true });
    await mount("-o", "loop", bench.image, spec.backupRoot);
    writeFileSync(join(spec.source, "later"), "later");
    expect((await mirror(spec)).result).toBe("ok");
    expect(await differences(spec.source, spec.destination)).toEqual([]);
  }

  test("when the disk was unmounted", async () => {
    const bench = await troubled(({ spec }) => unmountBelow(spec.backupRoot));
    const { spec } = bench;
    const record = await mirror(spec);
    expect(record.result).toBe("refused");
    expect(record.reason).toMatch(/Expected ext4|is the disk mounted\?/);
    expect(record.lastGood).toBeDefined();
    expect(readdirSync(spec.backupRoot)).toEqual([]);
    expect(await probe(spec)).toMatchObject({ ok: false, result: "refused" });
    expect(await pending(spec)).toMatchObject({ ok: false, result: "refused" });
    await mended(bench);
  });

  test("when the folder of the disk is gone", async () => {
    const bench = await troubled(async ({ spec }) => {
      await unmountBelow(spec.backupRoot);
      await rm(spec.backupRoot, { recursive: true });
    });
    const record = await mirror(bench.spec);
    expect(record).toMatchObject({ result: "unreachable" });
    expect(record.reason).toContain("No such file or directory");
    expect(existsSync(bench.spec.backupRoot)).toBe(false);
    await mended(bench);
  });

  test("when another file system is mounted there", async () => {
    const bench = await troubled(async ({ spec }) => {
      await unmountBelow(spec.backupRoot);
      await mount("-t", "tmpfs", "usurper", spec.backupRoot);
    });
    const record = await mirror(bench.spec);
    expect(record.result).toBe("refused");
    expect(record.reason).toContain("but found tmpfs from usurper");
    expect(readdirSync(bench.spec.backupRoot)).toEqual([]);
    await mended(bench);
  });

  test("when another disk of the same kind is mounted over it", async () => {
    const bench = await troubled(async ({ spec, folder }) => {
      await makeExt4(join(folder, "other"), 16);
      await mount("-o", "loop", join(folder, "other"), spec.backupRoot);
    });
    const record = await mirror(bench.spec);
    expect(record.result).toBe("refused");
    expect(record.reason).toContain("is missing");
    expect(readdirSync(bench.spec.backupRoot)).toEqual(["lost+found"]);
    await mended(bench);
  });

  test("when the disk is another host's", async () => {
    const bench = await troubled(async () => undefined);
    const { spec } = bench;
    const before = await stateOf(spec.backupRoot);
    const other = { ...spec, hostId: "host-b", recordsDir: join(bench.folder, "other/backups") };
    const record = await mirror(other);
    expect(record.result).toBe("refused");
    expect(record.reason).toContain("host-a");
    expect(record.reason).toContain("host-b");
    expect(await stateOf(spec.backupRoot)).toBe(before);
    await mended(bench);
  });

  test("when the state was lost: the marker is recognised", async () => {
    const bench = await troubled(({ folder }) => rm(join(folder, "state"), { recursive: true }));
    const record = await mirror(bench.spec);
    expect(record).toMatchObject({ result: "ok", counts: { copied: 0 } });
    await mended(bench);
  });

  test("when the folder beside the marker was tidied away", async () => {
    const bench = await troubled(({ spec }) =>
      rm(join(spec.backupRoot, ".repoman"), { recursive: true }),
    );
    writeFileSync(join(bench.spec.source, "new"), "new");
    expect(await pending(bench.spec)).toMatchObject({ ok: true, files: 1, deletions: 0 });
    expect((await mirror(bench.spec)).result).toBe("ok");
    await mended(bench);
  });

  test("when the disk is read-only", async () => {
    const bench = await troubled(({ spec }) => mount("-o", "remount,ro", spec.backupRoot));
    writeFileSync(join(bench.spec.source, "new"), "new");
    const record = await mirror(bench.spec);
    expect(record.result).toBe("failed");
    expect(record.reason).toContain("read-only");
    await mended(bench);
  });

  test("when a symbolic link stands in the way to the copy", async () => {
    const bench = await troubled(async ({ spec, folder }) => {
      await rm(spec.destination, { recursive: true });
      mkdirSync(join(folder, "elsewhere"));
      symlinkSync(join(folder, "elsewhere"), spec.destination);
    });
    const record = await mirror(bench.spec);
    expect(record.result).toBe("refused");
    expect(record.reason).toContain("symbolic link");
    expect(readdirSync(join(bench.folder, "elsewhere"))).toEqual([]);
    await rm(bench.spec.destination);
    await mended(bench);
  });

  test("when the automount never answers", async () => {
    const bench = await troubled(({ spec }) => unmountBelow(spec.backupRoot));
    const automount = await silentAutomount(bench.spec.backupRoot);
    const spec = { ...bench.spec, answerWithin: 300 };
    const begun = performance.now();
    for (const result of [await mirror(spec), await probe(spec), await pending(spec)]) {
      expect(result).toMatchObject({ result: "unreachable" });
      expect(result).toHaveProperty("reason", expect.stringContaining("does not answer"));
    }
    expect(performance.now() - begun).toBeLessThan(5_000);
    await automount.end();
    await mended(bench);
  });

  test("when the disk goes away between the look at it and the copy", async () => {
    const bench = await troubled(async () => undefined);
    const { spec } = bench;
    writeFileSync(join(spec.source, "new"), "new");
    const record = await mirror(spec, {
      onProgress: ({ phase }) => {
        // Called after the disk was found good, before rsync starts.
        if (phase === "comparing") execaSync("umount", ["--lazy", spec.backupRoot]);
      },
    });
    expect(record.result).toBe("refused");
    expect(record.reason).toMatch(/Expected|is the disk mounted/);
    expect(readdirSync(spec.backupRoot)).toEqual([]);
    await mended(bench);
  });
});

test("a disk that moved to another device is the same disk", async () => {
  const bench = await workbench("ext4");
  fill(bench);
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
  fill(bench);
  const link = join(bench.folder, "link");
  symlinkSync(bench.spec.backupRoot, link);
  const spec = { ...bench.spec, backupRoot: link, destination: join(link, "demo") };
  expect((await mirror(spec)).result).toBe("ok");
  await unmountBelow(bench.spec.backupRoot);
  expect((await mirror(spec)).result).toBe("refused");
  expect(readdirSync(bench.spec.backupRoot)).toEqual([]);
});
