import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { findCopy } from "../../rsync/find-copy.ts";
import { mirror } from "../../rsync/index.ts";
import { lockRepository } from "../../rsync/lock.ts";
import { planRestore, restore } from "../../rsync/restore.ts";
import type { RestoreOptions } from "../../rsync/restore-types.ts";
import { chooseSnapshot } from "../../rsync/snapshots.ts";
import { checkSpec } from "../../rsync/spec.ts";
import { start } from "../rig/command.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { until } from "../rig/place.ts";
import { signal } from "../rig/processes.ts";
import { everything } from "./everything.ts";
import { differences } from "./same-tree.ts";
import { rsyncs } from "./victim.ts";
import { fillSmall, type Workbench, workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-restore.ts", import.meta.url));

async function copied(): Promise<Workbench & { to: string }> {
  const bench = await workbench("ext4");
  fillSmall(bench, 20);
  expect((await mirror(bench.spec)).result).toBe("ok");
  return { ...bench, to: join(bench.folder, "back") };
}

async function git(folder: string, ...args: string[]): Promise<string> {
  const who = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "gc.auto=0"];
  return (await execa("git", [...who, "-C", folder, ...args])).stdout;
}

describe("a restore", () => {
  test("of everything equals the repository, byte for byte, and git agrees", async () => {
    const bench = await workbench("ext4");
    const { spec, folder } = bench;
    await everything(spec.source);
    await git(spec.source, "init", "-qb", "main");
    await git(spec.source, "add", "plain", "empty", "deep");
    await git(spec.source, "commit", "-qm", "one");
    await git(spec.source, "gc", "-q");
    appendFileSync(join(spec.source, "plain"), "not committed\n");
    const status = await git(spec.source, "status", "--porcelain");
    expect((await mirror(spec)).result).toBe("ok");
    const to = join(folder, "deep", "er", "back");
    expect(await planRestore(spec, { to })).toMatchObject({ ok: true, target: "absent", extra: 0 });
    expect(existsSync(join(folder, "deep"))).toBe(false);
    const done = await restore(spec, { to });
    expect(done).toMatchObject({ ok: true, result: "ok", different: [], failures: [] });
    expect(await differences(spec.source, to)).toEqual([]);
    expect(await git(to, "status", "--porcelain")).toBe(status);
    await git(to, "fsck", "--strict");
  });

  test("never goes over a folder with something in it unless told, and then keeps what is more", async () => {
    const { spec, to } = await copied();
    mkdirSync(to);
    writeFileSync(join(to, "file-1"), "mine, and longer than that");
    writeFileSync(join(to, "file-2"), "CONTENT 2\n");
    const { mtime } = statSync(join(spec.destination, "file-2"));
    utimesSync(join(to, "file-2"), mtime, mtime);
    writeFileSync(join(to, "more"), "more");
    expect(await restore(spec, { to })).toMatchObject({ ok: false, result: "refused" });
    expect(readdirSync(to).sort()).toEqual(["file-1", "file-2", "more"]);
    const plan = await planRestore(spec, { to, overwrite: true });
    expect(plan).toMatchObject({ target: "filled", extra: 1, extras: ["more"] });
    // Also what differs in nothing but its content.
    expect(plan.ok && plan.changing).toEqual(expect.arrayContaining(["file-1", "file-2"]));
    expect(await restore(spec, { to, overwrite: true })).toMatchObject({ ok: true, result: "ok" });
    expect(readFileSync(join(to, "more"), "utf8")).toBe("more");
    rmSync(join(to, "more"));
    appendFileSync(join(to, "extra"), "x");
    const options: RestoreOptions = { to, overwrite: true, deleteExtra: true };
    expect(await restore(spec, options)).toMatchObject({ ok: true, result: "ok", deleted: 1 });
    expect(await differences(spec.source, to)).toEqual([]);
  });

  test("of one path brings just that, and follows no link that was planted", async () => {
    const { spec, to, folder } = await copied();
    mkdirSync(join(folder, "outside"));
    mkdirSync(to, { mode: 0o711 });
    symlinkSync(join(folder, "outside"), join(to, "folder"));
    const options = { to, path: "folder/deep", overwrite: true };
    expect(await restore(spec, options)).toMatchObject({ ok: true, result: "ok", files: 1 });
    expect(readdirSync(join(folder, "outside"))).toEqual([]);
    expect(lstatSync(join(to, "folder")).isDirectory()).toBe(true);
    expect(readdirSync(to)).toEqual(["folder"]);
    expect(statSync(to).mode & 0o777).toBe(0o711);
    expect(await restore(spec, { ...options, path: "./folder/" })).toMatchObject({ result: "ok" });
    expect(await restore(spec, { ...options, path: "nothing" })).toMatchObject({
      ok: false,
      reason: expect.stringContaining("has no nothing"),
    });
    for (const path of ["../x", "/etc", ".."]) {
      await expect(restore(spec, { ...options, path })).rejects.toMatchObject({ exitCode: 2 });
    }
  });

  test("to the backup disk, or around it, is bad usage, whatever links lead there", async () => {
    const { spec, folder } = await copied();
    const away = join(folder, "away");
    symlinkSync(spec.backupRoot, away);
    const linked = { ...spec, backupRoot: away, destination: join(away, "demo") };
    const link = join(folder, "link");
    symlinkSync(join(away, "other"), link);
    const force = { overwrite: true, deleteExtra: true };
    for (const to of [
      spec.backupRoot,
      spec.destination,
      "/",
      "relative",
      link,
      `${link}/not/yet`,
    ]) {
      await expect(restore(spec, { to, ...force })).rejects.toMatchObject({ exitCode: 2 });
    }
    for (const to of [spec.destination, spec.backupRoot, join(spec.backupRoot, "x"), folder]) {
      await expect(restore(linked, { to, ...force })).rejects.toMatchObject({ exitCode: 2 });
    }
    expect(await differences(spec.source, spec.destination)).toEqual([]);
    expect(readdirSync(spec.backupRoot)).not.toContain("other");
  });

  test("of an older state takes the snapshot that is meant", async () => {
    const { spec, to, folder } = await copied();
    const zfs = join(spec.backupRoot, ".zfs/snapshot");
    for (const [day, text] of [
      ["2026-04-27", "first"],
      ["2026-04-28", "second"],
    ]) {
      const place = join(zfs, `autosnap_${day}_00:15:00_daily`, "demo");
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, "file-1"), text as string);
    }
    mkdirSync(join(zfs, "autosnap_2026-04-20_00:15:00_daily"));
    const found = await findCopy(spec);
    const snapshots = found.ok ? found.snapshots : [];
    expect(snapshots.map(({ name }) => name.slice(9, 19))).toEqual([
      "2026-04-28",
      "2026-04-27",
      "2026-04-20",
    ]);
    const snapshot = chooseSnapshot("2026-04-27", snapshots);
    expect(await restore(spec, { to, snapshot })).toMatchObject({ ok: true, result: "ok" });
    expect(readdirSync(to)).toEqual(["file-1"]);
    expect(readFileSync(join(to, "file-1"), "utf8")).toBe("first");
    expect(await restore(spec, { to: `${to}-2`, snapshot: snapshots[2] })).toMatchObject({
      ok: false,
      reason: expect.stringContaining("does not hold demo"),
    });
    // Dated copies of the whole disk, wherever.
    const dated = join(folder, "dated");
    mkdirSync(join(dated, "20260101", "demo"), { recursive: true });
    writeFileSync(join(dated, "20260101/demo/old"), "old");
    const other = await findCopy(spec, dated);
    const old = other.ok ? other.snapshots : [];
    expect(old.map(({ name }) => name)).toEqual(["20260101"]);
    expect(
      await restore(spec, { to: `${to}-3`, snapshot: old[0], snapshotsIn: dated }),
    ).toMatchObject({ ok: true, result: "ok", files: 1 });
  });

  test("from another host's disk, or without any state of this one's, goes through and says so", async () => {
    const { spec, to, folder } = await copied();
    const lost = { ...spec, hostId: "new-host", recordsDir: join(folder, "fresh/backups") };
    const done = await restore(lost, { to });
    expect(done).toMatchObject({ ok: true, result: "ok" });
    expect(done.ok && done.warnings.join()).toContain("belongs to host host-a");
    expect(await differences(spec.source, to)).toEqual([]);
    await unmountBelow(spec.backupRoot);
    expect(await restore(spec, { to: `${to}-2` })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/There is no copy at .*Expected ext4/),
    });
    expect(existsSync(`${to}-2`)).toBe(false);
  });

  test("that breaks off leaves nothing of its own, and goes on the next time", async () => {
    const bench = await workbench("plain");
    const { spec, folder } = bench;
    for (let i = 0; i < 25; i++)
      writeFileSync(join(spec.source, `big-${i}`), Buffer.alloc(4 << 20, i));
    await mirror(spec);
    const to = join(folder, "back");
    const stop = new AbortController();
    const cut = await restore(spec, {
      to,
      signal: stop.signal,
      onProgress: ({ phase, bytes }) => phase === "copying" && bytes > 0 && stop.abort(),
    });
    expect(cut).toMatchObject({ ok: true, result: "failed", reason: "It was interrupted" });
    expect(readdirSync(to).filter((name) => name.startsWith("."))).toEqual([]);
    expect(await restore(spec, { to })).toMatchObject({ ok: true, result: "ok", different: [] });
    expect(await differences(spec.source, to)).toEqual([]);
  });

  test("is verified: what is not as on the copy afterwards is named", async () => {
    const { spec, to } = await copied();
    const done = await restore(spec, {
      to,
      onProgress: ({ phase }) => {
        if (phase === "verifying") writeFileSync(join(to, "file-3"), "CONTENT 3\n");
      },
    });
    expect(done).toMatchObject({
      ok: true,
      result: "partial",
      reason: "1 entry is not as on the copy",
      different: ["file-3"],
    });
  });

  test("that was killed is finished by the next; nobody else touches what is under way", async () => {
    const bench = await workbench("plain");
    const { spec, folder } = bench;
    fillSmall(bench, 20);
    // Of holes: it takes no room on the disk, but rsync some time.
    writeFileSync(join(spec.source, "vast"), "");
    truncateSync(join(spec.source, "vast"), 512 << 20);
    await mirror(spec);
    const to = join(folder, "back");
    const aside = () => readdirSync(to).filter((name) => name.startsWith(".repoman-restore-"));
    const running = start([process.execPath, SCRIPT, JSON.stringify(spec), to]);
    await running.printed("copying");
    await until("rsync", () => rsyncs(spec).length > 1);
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGSTOP");
    const [left] = aside();
    expect(left).toBeDefined();

    const source = join(folder, "repos", "other");
    mkdirSync(source);
    writeFileSync(join(source, "x"), "x");
    const other = { ...spec, name: "other", source, destination: join(spec.backupRoot, "other") };
    await mirror(other);
    expect(await planRestore(spec, { to })).toMatchObject({ target: "unfinished", extra: 0 });
    const over = { to, overwrite: true, deleteExtra: true };
    for (const each of [spec, other]) {
      await expect(restore(each, over)).rejects.toMatchObject({ exitCode: 4 });
    }
    expect(aside()).toEqual([left]);

    await running.killAll();
    await until("rsync's end", () => rsyncs(spec).length === 0);
    expect(await planRestore(spec, { to })).toMatchObject({ target: "unfinished", extra: 0 });
    expect(aside()).toEqual([left]);
    expect(await restore(spec, { to })).toMatchObject({ ok: true, result: "ok", different: [] });
    expect(await differences(spec.source, to)).toEqual([]);
  });

  test("keeps a mirror run away meanwhile, and is kept away by one", async () => {
    const { spec, to } = await copied();
    const lock = lockRepository(checkSpec(spec));
    await expect(restore(spec, { to })).rejects.toMatchObject({ exitCode: 4 });
    lock.release();
    let refused: unknown;
    await restore(spec, {
      to,
      onProgress: ({ phase }) => {
        if (phase === "copying")
          mirror(spec).catch((error) => {
            refused ??= error;
          });
      },
    });
    expect(refused).toMatchObject({ exitCode: 4 });
  });

  test("to a disk that is full says so, and goes on when there is room", async () => {
    const { spec, to } = await copied();
    mkdirSync(to);
    writeFileSync(join(spec.source, "big"), Buffer.alloc(3 << 20, 1));
    await mirror(spec);
    await mount("-t", "tmpfs", "-o", "size=1M", "small", to);
    expect(await restore(spec, { to })).toMatchObject({
      ok: true,
      result: "failed",
      reason: expect.stringContaining("no room"),
    });
    await mount("-o", "remount,size=16M", to);
    expect(await restore(spec, { to })).toMatchObject({ ok: true, result: "ok" });
    expect(await differences(spec.source, to)).toEqual([]);
    await unmountBelow(to);
    await rm(to, { recursive: true });
  });
});
