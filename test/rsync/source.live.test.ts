import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import {
  freshness,
  type MirrorOptions,
  mirror,
  pending,
  type RunRecord,
  readRecord,
} from "../../rsync/index.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { everything } from "./everything.ts";
import { equal, repaired } from "./repaired.ts";
import { stateOf } from "./state-of.ts";
import { type Workbench, workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-mirror.ts", import.meta.url));

/**
 * A good copy of 100 files and of every kind of entry, of a repository that is a mount of its own
 * when told so.
 */
async function copied({ mounted = false } = {}): Promise<Workbench> {
  const bench = await workbench("ext4");
  if (mounted) await mount("-t", "tmpfs", "repository", bench.spec.source);
  await fill(bench);
  await repaired(bench);
  return bench;
}

async function fill({ spec }: Workbench): Promise<void> {
  for (let i = 0; i < 100; i++) writeFileSync(join(spec.source, `file-${i}`), `content ${i}\n`);
  await everything(spec.source);
}

/** Nothing at all of the copy is touched, and the last good run is what it was. */
async function refused(bench: Workbench, why: string | RegExp, options?: MirrorOptions) {
  const { spec } = bench;
  const { lastGood } = (await readRecord(spec.recordsDir, spec.name)) ?? {};
  const before = await stateOf(spec.destination);
  const record = await mirror(spec, options);
  expect(record).toMatchObject({ result: "refused", reason: expect.stringMatching(why), lastGood });
  expect(record.remedy).toBeTruthy();
  expect(lastGood?.files).toBeGreaterThan(100);
  expect(await stateOf(spec.destination)).toBe(before);
  const kept = await readRecord(spec.recordsDir, spec.name);
  expect(freshness(kept, spec, Date.now()).fresh).toBe(false);
}

/** Puts the repository aside for as long as something else is in its place. */
async function displaced(bench: Workbench, work: () => Promise<void>): Promise<void> {
  const { source } = bench.spec;
  renameSync(source, `${source}-moved`);
  await work();
  rmSync(source, { recursive: true, force: true });
  renameSync(`${source}-moved`, source);
  await repaired(bench);
}

describe("a repository that looks wrong is not mirrored", () => {
  test("when it is missing", async () => {
    const bench = await copied();
    await displaced(bench, () => refused(bench, "No such file or directory"));
  });

  test("when it was emptied, even when deletions are allowed", async () => {
    const bench = await copied();
    await displaced(bench, async () => {
      mkdirSync(bench.spec.source);
      await refused(bench, "is empty");
      await refused(bench, "is empty", { allowDeletes: true });
    });
  });

  test("when an empty mount lies over it", async () => {
    const bench = await copied();
    await mount("-t", "tmpfs", "empty", bench.spec.source);
    await refused(bench, /is empty; it was on .* is something not mounted\?/);
    await unmountBelow(bench.spec.source);
    await repaired(bench);
  });

  test("when the mount that held it went away", async () => {
    const bench = await copied({ mounted: true });
    await unmountBelow(bench.spec.source);
    await refused(bench, "is empty; it was on tmpfs from repository");
    writeFileSync(join(bench.spec.source, "left-below"), "x");
    await refused(bench, /would be deleted.*is something not mounted\?/);
    await mount("-t", "tmpfs", "repository", bench.spec.source);
    await fill(bench);
    await repaired(bench);
  });

  test("when a file is in its place", async () => {
    const bench = await copied();
    await displaced(bench, async () => {
      writeFileSync(bench.spec.source, "file");
      await refused(bench, "Not a directory");
    });
  });

  test("when more than a quarter of it is deleted, and then nothing is copied either", async () => {
    const bench = await copied();
    const { spec } = bench;
    const { files } = (await mirror(spec)).counts;
    const gone = Math.floor(files / 4) + 1;
    for (let i = 0; i < gone; i++) rmSync(join(spec.source, `file-${i}`));
    writeFileSync(join(spec.source, "new"), "new");
    writeFileSync(join(spec.source, "file-99"), "edited");
    chmodSync(join(spec.source, "file-98"), 0o600);
    const seen = await pending(spec);
    expect(seen).toMatchObject({ ok: true, deletions: gone, files: 2, refused: {} });
    expect(seen.ok && seen.deleting).toContain("file-0");
    await refused(bench, `${gone} of ${files} files`);

    expect(await repaired(bench, { allowDeletes: true })).toMatchObject({
      counts: { deleted: gone, copied: 2 },
    });
  });

  test("when all its files became empty", async () => {
    const bench = await copied();
    const { source } = bench.spec;
    await execa("cp", ["-a", source, `${source}-copy`]);
    await displaced(bench, async () => {
      renameSync(`${source}-copy`, source);
      await execa("find", [source, "-type", "f", "-exec", "truncate", "-s0", "{}", "+"]);
      await refused(bench, "0 bytes");
    });
  });
});

describe("deletions", () => {
  test("within the limits happen, at the end", async () => {
    const bench = await copied();
    const { spec } = bench;
    for (let i = 0; i < 20; i++) {
      renameSync(join(spec.source, `file-${i}`), join(spec.source, `renamed-${i}`));
    }
    expect(await repaired(bench)).toMatchObject({ counts: { deleted: 20 } });
  });

  test("are left out when told so, and caught up with later", async () => {
    const bench = await copied();
    const { spec } = bench;
    for (let i = 0; i < 40; i++) rmSync(join(spec.source, `file-${i}`));
    writeFileSync(join(spec.source, "new"), "new");
    expect(await mirror(spec, { noDelete: true })).toMatchObject({
      result: "ok",
      counts: { deleted: 0, copied: 1 },
    });
    for (let i = 0; i < 40; i++) {
      expect(existsSync(join(spec.destination, `file-${i}`))).toBe(true);
    }
    await repaired(bench, { allowDeletes: true });
  });

  test("that begin after the comparison are bounded too", async () => {
    const bench = await copied();
    const { spec } = bench;
    const limited = { ...spec, maxDelete: 5 };
    writeFileSync(join(spec.source, "new"), "new");
    rmSync(join(spec.source, "file-0"));
    // As if a mount below the repository went away in the worst moment.
    const vanish = () => {
      for (let i = 1; i < 60; i++) rmSync(join(spec.source, `file-${i}`), { force: true });
    };
    const before = readdirSync(spec.destination).length;
    const record = await mirror(limited, {
      onProgress: ({ phase, bytes }) => {
        if (phase === "copying" && bytes === 0) vanish();
      },
    });
    expect(record.result).toBe("partial");
    expect(record.counts.deleted).toBe(5);
    expect(readdirSync(spec.destination)).toHaveLength(before + 1 - 5);
    await repaired(bench, { allowDeletes: true });
  });
});

test("a file that cannot be read makes the copy partial, and is named", async () => {
  const bench = await copied();
  const { spec } = bench;
  const locked = join(spec.source, "locked");
  writeFileSync(locked, "");
  // What even root may only write.
  await mount("--bind", "/sys/bus/cpu/drivers_probe", locked);
  writeFileSync(join(spec.source, "new"), "new");
  const record = await mirror(spec);
  expect(record.result).toBe("partial");
  expect(record.failures.join()).toContain("locked");
  expect(readdirSync(spec.destination)).toContain("new");
  await unmountBelow(locked);
  await repaired(bench);
});

describe("as a user who is not root", () => {
  test("a repository of the user's own is copied, and what cannot be read is named", async () => {
    const bench = await workbench("tmpfs");
    const { spec, folder } = bench;
    const [uid, gid] = [54_321, 54_322];
    for (let i = 0; i < 20; i++) writeFileSync(join(spec.source, `file-${i}`), `content ${i}\n`);
    for (const path of [folder, spec.backupRoot, join(folder, "repos")]) chownSync(path, uid, gid);
    await execa("chown", ["-R", `${uid}:${gid}`, spec.source]);
    const ids = ["--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
    const run = async (): Promise<RunRecord> => {
      const argv = ["setpriv", ...ids, process.execPath, SCRIPT, JSON.stringify(spec)];
      return JSON.parse((await execa(argv[0] ?? "", argv.slice(1))).stdout.split("\n").pop() ?? "");
    };
    expect((await run()).result).toBe("ok");
    await equal(bench);
    writeFileSync(join(spec.source, "root-only"), "secret", { mode: 0o600 });
    const record = await run();
    expect(record.result).toBe("partial");
    expect(record.failures.join()).toContain("root-only");
  });
});

describe("trouble on this side", () => {
  test("a name, a path or a place that cannot be meant is a usage fault", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    for (const changes of [
      { name: "../x" },
      { name: "" },
      { source: "host:path" },
      { source: "relative" },
      { destination: spec.backupRoot },
      { destination: `${spec.backupRoot}/../elsewhere` },
      { destination: `${spec.backupRoot}/.repoman/x` },
      { source: spec.backupRoot },
      { source: join(spec.destination, "inside") },
    ]) {
      await expect(mirror({ ...spec, ...changes })).rejects.toMatchObject({ exitCode: 2 });
    }
    expect(readdirSync(spec.backupRoot)).toEqual([]);
  });

  test("nothing is copied that cannot be recorded", async () => {
    const bench = await workbench("plain");
    const { spec, folder } = bench;
    writeFileSync(join(spec.source, "x"), "x");
    mkdirSync(join(folder, "state"));
    await mount("-t", "tmpfs", "-o", "size=64k", "small", join(folder, "state"));
    await mirror(spec);
    writeFileSync(join(folder, "state", "filler"), "");
    await execa("dd", ["if=/dev/zero", `of=${join(folder, "state", "filler")}`], { reject: false });
    writeFileSync(join(spec.source, "y"), "y");
    await expect(mirror(spec)).rejects.toMatchObject({ name: "Fault", exitCode: 3 });
    expect(readdirSync(spec.destination)).toEqual(["x"]);
  });
});
