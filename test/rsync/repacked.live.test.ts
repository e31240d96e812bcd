// Git packs and prunes: files vanish by the hundred, and nothing is lost.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { mirror } from "../../rsync/index.ts";
import { hold } from "./hold.ts";
import { repaired } from "./repaired.ts";
import { fsck } from "./victim.ts";
import { type Workbench, workbench } from "./workbench.ts";

const OBJECTS = 60;

const git = (folder: string, ...args: string[]) =>
  execa("git", [
    ...["-c", "safe.directory=*", "-c", "user.name=A", "-c", "user.email=a@b", "-C", folder],
    ...args,
  ]);

/** A repository of many loose objects that is copied. */
async function loose(others = 0): Promise<Workbench> {
  const bench = await workbench("tmpfs");
  const { source } = bench.spec;
  await git(source, "init", "-qb", "main");
  for (let i = 0; i < OBJECTS; i++) writeFileSync(join(source, `file-${i}`), `content ${i}`);
  await git(source, "add", "-A");
  await git(source, "commit", "-qm", "one");
  for (let i = 0; i < others; i++) writeFileSync(join(source, `other-${i}`), `${i}`);
  await repaired(bench);
  return bench;
}

describe("after git has packed what was loose", () => {
  test("a run that broke off before it deleted the loose ones is repaired by a plain one", async () => {
    const bench = await loose();
    const { spec } = bench;
    await git(spec.source, "repack", "-adq");
    writeFileSync(join(spec.source, "new"), "new");
    const held = await hold(join(spec.source, "new"));
    const stop = new AbortController();
    const running = mirror(spec, { signal: stop.signal });
    await Promise.race([held.asked, running]);
    stop.abort();
    await held.release();
    expect((await running).reason).toBe("It was interrupted");
    await repaired(bench);
  });

  test("a run without deletions goes through, and a plain one after it", async () => {
    const bench = await loose();
    const { spec } = bench;
    await git(spec.source, "repack", "-adq");
    expect(await mirror(spec, { noDelete: true })).toMatchObject({ result: "ok" });
    await repaired(bench);
  });

  test("an object that comes and goes in a folder of theirs does not fail the run", async () => {
    const bench = await loose(300);
    const { spec } = bench;
    const objects = join(spec.source, ".git/objects");
    const folder = readdirSync(objects).find((name) => name.length === 2) ?? "";
    await git(spec.source, "repack", "-adq");
    writeFileSync(join(spec.source, "new"), "new");
    const head = await hold(join(spec.source, ".git/HEAD"));
    const rest = await hold(join(spec.source, "new"));
    const running = mirror(spec);
    // The comparison is over, and nothing is copied yet.
    await Promise.race([head.asked, running]);
    mkdirSync(join(objects, folder));
    writeFileSync(join(objects, folder, "1".repeat(38)), "");
    await head.release();
    // The objects are copied.
    await Promise.race([rest.asked, running]);
    rmSync(join(objects, folder), { recursive: true });
    await rest.release();
    const { result, reason } = await running;
    expect({ result, reason }).toEqual({ result: "ok" });
    await repaired(bench);
    expect(await fsck(spec.destination)).toBe("");
  });

  test("packs that became one are no loss either", async () => {
    const bench = await loose();
    const { spec } = bench;
    for (let round = 0; round < 3; round++) {
      writeFileSync(join(spec.source, `round-${round}`), `${round}`);
      await git(spec.source, "add", "-A");
      await git(spec.source, "commit", "-qm", `round ${round}`);
      await git(spec.source, "repack", "-dq");
    }
    rmSync(join(spec.source, ".git/hooks"), { recursive: true });
    const strict = { ...spec, maxDelete: 1 };
    expect(await mirror(spec, { allowDeletes: true })).toMatchObject({ result: "ok" });
    await git(spec.source, "repack", "-adq");
    const { result, reason, counts } = await mirror(strict);
    expect({ result, reason }).toEqual({ result: "ok" });
    expect(counts.deleted).toBeGreaterThan(5);
    expect(await fsck(spec.destination)).toBe("");
  });
});

describe("objects that are nowhere in the source", () => {
  test("loose ones are held for an accident, though as many others came in a pack", async () => {
    const bench = await loose();
    const { spec } = bench;
    const objects = join(spec.source, ".git/objects");
    const other = join(bench.folder, "other");
    await git(bench.folder, "init", "-qb", "main", other);
    for (let i = 0; i < OBJECTS; i++) writeFileSync(join(other, `file-${i}`), `else ${i}`);
    await git(other, "add", "-A");
    await git(other, "commit", "-qm", "another");
    await git(other, "repack", "-adq");
    for (const name of readdirSync(objects)) {
      if (name.length === 2) rmSync(join(objects, name), { recursive: true });
    }
    const packs = join(other, ".git/objects/pack");
    await execa("cp", ["-rT", packs, join(objects, "pack")]);
    expect(await mirror(spec)).toMatchObject({
      result: "refused",
      reason: expect.stringContaining("would be deleted"),
    });
    expect(await fsck(spec.destination)).toBe("");
  });

  test("packed ones as well", async () => {
    const bench = await loose();
    const { spec } = bench;
    await git(spec.source, "repack", "-adq");
    await repaired(bench);
    const packs = join(spec.source, ".git/objects/pack");
    for (const name of readdirSync(packs)) rmSync(join(packs, name));
    expect(await mirror({ ...spec, maxDelete: 1 })).toMatchObject({ result: "refused" });
    expect(await fsck(spec.destination)).toBe("");
  });
});
