import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { mirror, pending, probe } from "../../rsync/index.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { automount } from "./automount.ts";
import { everything } from "./everything.ts";
import { repaired } from "./repaired.ts";
import { stateOf } from "./state-of.ts";
import { fillSmall, makeExt4, type Workbench, workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-mirror.ts", import.meta.url));

test("an automount is woken, and what it mounts is the disk", async () => {
  const bench = await workbench("ext4");
  fillSmall(bench);
  await repaired(bench);
  const { image, spec } = bench;
  await unmountBelow(spec.backupRoot);
  await automount(spec.backupRoot, ["mount", "--no-mtab", "-o", "loop", image, spec.backupRoot]);
  writeFileSync(join(spec.source, "later"), "later");
  const { disk } = await repaired(bench);
  expect(disk).toMatchObject({ fstype: "ext4", mountPoint: spec.backupRoot });
});

describe("nothing is written and nothing lost", () => {
  /** One good run, then `trouble`, and then everything back in its place. */
  async function troubled(trouble: (bench: Workbench) => Promise<void>) {
    const bench = await workbench("ext4");
    fillSmall(bench);
    await everything(bench.spec.source);
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
    rmSync(join(spec.source, "file-0"));
    await repaired(bench);
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
    const deaf = await automount(bench.spec.backupRoot);
    const spec = { ...bench.spec, answerWithin: 300 };
    for (const result of [await mirror(spec), await probe(spec), await pending(spec)]) {
      expect(result).toMatchObject({ result: "unreachable" });
      expect(result).toHaveProperty("reason", expect.stringContaining("does not answer"));
    }
    // Nothing of a process that has asked is held by it: it ends as well.
    const { stdout } = await execa(process.execPath, [SCRIPT, JSON.stringify(spec)], {
      timeout: 20_000,
    });
    expect(stdout).toContain('"result":"unreachable"');
    await deaf.end();
    await mended(bench);
  });

  test("when the automounter cannot mount", async () => {
    const bench = await troubled(({ spec }) => unmountBelow(spec.backupRoot));
    const failing = await automount(bench.spec.backupRoot, ["false"]);
    expect(await mirror(bench.spec)).toMatchObject({ result: "unreachable" });
    await failing.end();
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
