import { appendFileSync, chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import {
  type BackupSpec,
  mirror,
  type Progress,
  type RunRecord,
  readRecord,
  readVerified,
} from "../../rsync/index.ts";
import { lockRepository } from "../../rsync/lock.ts";
import { writeRecord } from "../../rsync/record.ts";
import { checkSpec } from "../../rsync/spec.ts";
import { type VerifyOptions, verify } from "../../rsync/verify.ts";
import { unmountBelow } from "../rig/mounts.ts";
import { fillSmall, workbench } from "./workbench.ts";

const FULL: VerifyOptions = { sample: 100 };

/** Changes content and nothing that the file system tells of it, as a failing disk does. */
function rot(file: string): void {
  const like = `${file}.like`;
  execaSync("touch", ["-r", file, like]);
  writeFileSync(file, Buffer.alloc(statSync(file).size, "!"));
  execaSync("touch", ["-r", like, file]);
  rmSync(like);
}

async function copied(): Promise<BackupSpec> {
  const bench = await workbench("ext4");
  fillSmall(bench, 40);
  writeFileSync(join(bench.spec.source, "new\nline\x01"), "odd name");
  expect((await mirror(bench.spec)).result).toBe("ok");
  return bench.spec;
}

describe("a copy that is verified", () => {
  test("and is whole is read as a whole, and that is recorded", async () => {
    const spec = await copied();
    const found = await verify(spec, FULL);
    expect(found).toMatchObject({
      ok: true,
      different: 0,
      changedSince: 0,
      files: 42,
      ofFiles: 42,
    });
    // The sizes of all files, and no others.
    const { stdout } = execaSync("find", [spec.source, "-type", "f", "-printf", "%s+"]);
    const size = stdout.split("+").reduce((sum, each) => sum + Number(each), 0);
    expect(found).toMatchObject({ bytes: size, ofBytes: size });
    expect(await readVerified(spec.recordsDir, spec.name)).toMatchObject({
      files: 42,
      sample: 100,
    });
  });

  test("and has rotted names every file, though size and time are the same", async () => {
    const spec = await copied();
    rot(join(spec.destination, "file-3"));
    rot(join(spec.destination, "new\nline\x01"));
    chmodSync(join(spec.destination, "file-4"), 0o600);
    rmSync(join(spec.destination, "file-5"));
    const found = await verify(spec, FULL);
    expect(found).toMatchObject({ ok: true, different: expect.any(Number), changedSince: 0 });
    const named = Object.fromEntries(
      (found.ok ? found.differences : []).map(({ name, kind }) => [name, kind]),
    );
    expect(named).toMatchObject({
      "file-3": "content",
      "file-4": "attributes",
      "file-5": "missing",
      "new\\#012line\\#001": "content",
    });
  });

  test("does not answer for what was edited since", async () => {
    const spec = await copied();
    appendFileSync(join(spec.source, "file-1"), "more");
    rot(join(spec.source, "file-2"));
    writeFileSync(join(spec.source, "added"), "new");
    rmSync(join(spec.source, "file-6"));
    rot(join(spec.destination, "file-7"));
    expect(await verify(spec, FULL)).toMatchObject({
      ok: true,
      different: 1,
      differences: [{ name: "file-7", kind: "content" }],
    });
  });

  test("and on which something was planted names that, too; what went in the repository is no difference", async () => {
    const spec = await copied();
    // The kernel's clock for files is a little behind.
    await pause(20);
    rmSync(join(spec.source, "file-6"));
    writeFileSync(join(spec.source, "folder", "added"), "new");
    writeFileSync(join(spec.destination, "folder", "planted\x02"), "not mine");
    mkdirSync(join(spec.destination, "more"));
    writeFileSync(join(spec.destination, "more", "x"), "x");
    execaSync("touch", ["-d", "2020-01-01", join(spec.destination, "more", "x")]);
    const found = await verify(spec, FULL);
    const differences = found.ok ? found.differences : [];
    expect(differences).toEqual(
      expect.arrayContaining([
        { name: "folder/planted\\#002", kind: "extra" },
        { name: "more/", kind: "extra" },
        { name: "more/x", kind: "extra" },
      ]),
    );
    expect(differences.map(({ name }) => name)).not.toContain("file-6");
    expect(found).toMatchObject({ different: 3, unread: [] });
    // After a run that broke off nobody can tell whose it is.
    const record = (await readRecord(spec.recordsDir, spec.name)) as RunRecord;
    await writeRecord(spec.recordsDir, { ...record, result: "failed" });
    expect(await verify(spec, FULL)).toMatchObject({ ok: true, different: 0 });
  });

  test("in part reads just that, and all of what the file system tells", async () => {
    const spec = await copied();
    rot(join(spec.destination, "file-3"));
    chmodSync(join(spec.destination, "file-4"), 0o600);
    let turn = 0;
    const found = await verify(spec, { sample: 25, draw: () => (turn++ % 4) / 4 });
    expect(found).toMatchObject({ ok: true, files: 11, ofFiles: 41 });
    expect(found.ok && found.differences).toContainEqual({ name: "file-4", kind: "attributes" });
  });

  test("tells how far it is, and can be stopped", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    for (let i = 0; i < 20; i++) {
      writeFileSync(join(spec.source, `big-${i}`), Buffer.alloc(8 << 20, String(i)));
    }
    await mirror(spec);
    const said: Progress[] = [];
    const stop = new AbortController();
    const running = verify(spec, {
      ...FULL,
      signal: stop.signal,
      onProgress: (progress) => {
        said.push(progress);
        if (progress.phase === "verifying" && progress.bytes > 0) stop.abort();
      },
    });
    expect(await running).toMatchObject({
      ok: false,
      result: "failed",
      reason: "It was interrupted",
    });
    expect(said.at(-1)).toMatchObject({ phase: "verifying", totalBytes: 2 * 20 * (8 << 20) });
  });

  test("is refused while it is mirrored, and where there is none or the disk is away", async () => {
    const spec = await copied();
    const lock = lockRepository(checkSpec(spec));
    await expect(verify(spec, FULL)).rejects.toMatchObject({ exitCode: 4 });
    lock.release();
    const source = join(spec.source, "..", "other");
    mkdirSync(source);
    writeFileSync(join(source, "x"), "x");
    const other = { ...spec, name: "other", source, destination: `${spec.backupRoot}/other` };
    expect(await verify(other, FULL)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("There is no copy"),
    });
    await unmountBelow(spec.backupRoot);
    expect(await verify(spec, FULL)).toMatchObject({ ok: false, result: "refused" });
  });
});
