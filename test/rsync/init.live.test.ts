import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { mirror } from "../../rsync/index.ts";
import { initialiseRoot, lookAtRoot } from "../../rsync/init.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { fillSmall, makeExt4, workbench } from "./workbench.ts";

const MARKER = ".repoman-backup.json";

describe("a backup root", () => {
  test("on a disk of its own is marked on both sides, once, and says what it is", async () => {
    const { spec, folder } = await workbench("ext4");
    const repos = join(folder, "repos");
    const before = await lookAtRoot(spec, repos);
    expect(before).toMatchObject({ ok: true, standing: "new", separate: true });
    expect(before).toMatchObject({ mount: { fstype: "ext4", mountPoint: spec.backupRoot } });
    expect(before.ok && before.free).toBeGreaterThan(1 << 20);
    expect(readdirSync(spec.backupRoot)).toEqual(["lost+found"]);

    const made = await initialiseRoot(spec, repos);
    const marker = JSON.parse(readFileSync(join(spec.backupRoot, MARKER), "utf8"));
    expect(made).toMatchObject({ ok: true, disk: { id: marker.id, fstype: "ext4" } });
    expect(await initialiseRoot(spec, repos)).toEqual(made);
    expect(await lookAtRoot(spec, repos)).toMatchObject({ standing: "known" });
    await unmountBelow(spec.backupRoot);
    expect(await lookAtRoot(spec, repos)).toMatchObject({ ok: false, result: "refused" });
    expect(await initialiseRoot(spec, repos)).toMatchObject({ ok: false, result: "refused" });
    expect(readdirSync(spec.backupRoot)).toEqual([]);
  });

  test("that is not there is made here and by nothing else", async () => {
    const bench = await workbench("plain");
    const root = join(bench.spec.backupRoot, "deep", "er");
    const spec = { ...bench.spec, backupRoot: root, destination: join(root, "demo") };
    fillSmall(bench);
    expect(await mirror(spec)).toMatchObject({ result: "unreachable" });
    expect(existsSync(join(bench.spec.backupRoot, "deep"))).toBe(false);
    const repos = join(bench.folder, "repos");
    expect(await lookAtRoot(spec, repos)).toMatchObject({ standing: "missing", separate: false });
    expect(await initialiseRoot(spec, repos)).toMatchObject({ ok: true });
    expect(await mirror(spec)).toMatchObject({ result: "ok" });
  });

  test("that fstab mounts and that is not mounted is not made", async () => {
    const bench = await workbench("plain");
    const root = join(bench.folder, "nowhere");
    await appendFile("/etc/fstab", `nas:/y ${root} nfs noauto 0 0\n`);
    onTestFinished(() => {
      const lines = readFileSync("/etc/fstab", "utf8").split("\n");
      writeFileSync("/etc/fstab", lines.filter((line) => !line.startsWith("nas:/y")).join("\n"));
    });
    const spec = { ...bench.spec, backupRoot: root };
    expect(await initialiseRoot(spec, bench.folder)).toMatchObject({
      ok: false,
      result: "unreachable",
      reason: expect.stringContaining("/etc/fstab says that nas:/y is mounted"),
    });
    expect(existsSync(root)).toBe(false);
  });

  test("of another host is refused, also in place of a lost one", async () => {
    const { spec, folder } = await workbench("ext4");
    await initialiseRoot(
      { ...spec, hostId: "host-b", recordsDir: join(folder, "b/backups") },
      folder,
    );
    for (const replace of [false, true]) {
      expect(await initialiseRoot(spec, folder, { replace })).toMatchObject({
        ok: false,
        reason: expect.stringContaining("belongs to host host-b"),
      });
    }
  });

  test("is another disk from now on where that is told", async () => {
    const bench = await workbench("ext4");
    const { spec, folder } = bench;
    fillSmall(bench);
    expect(await initialiseRoot(spec, folder)).toMatchObject({ ok: true });
    await mirror(spec);
    await unmountBelow(spec.backupRoot);
    await makeExt4(join(folder, "new"), 16);
    await mount("-o", "loop", join(folder, "new"), spec.backupRoot);
    expect(await initialiseRoot(spec, folder)).toMatchObject({ ok: false });
    expect(await mirror(spec)).toMatchObject({
      result: "refused",
      remedy: expect.stringContaining("repoman backup init --replace"),
    });
    expect(await initialiseRoot(spec, folder, { replace: true })).toMatchObject({ ok: true });
    expect(await mirror(spec)).toMatchObject({ result: "ok", counts: { copied: 9 } });
  });

  test("must be what the registry expects to be mounted there", async () => {
    const { spec, folder } = await workbench("ext4");
    const wanted = { ...spec, expectedFstype: "nfs4", expectedSource: "nas:/tank" };
    expect(await initialiseRoot(wanted, folder)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("Expected nfs4 from nas:/tank"),
    });
    mkdirSync(join(folder, "x"));
    expect(readdirSync(spec.backupRoot)).toEqual(["lost+found"]);
  });
});
