import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freshness, mirror, readRecord } from "../../rsync/index.ts";
import { verify } from "../../rsync/verify.ts";
import { mount } from "../rig/mounts.ts";
import { signal } from "../rig/processes.ts";
import { everything } from "./everything.ts";
import { hold } from "./hold.ts";
import { repaired } from "./repaired.ts";
import { fill, MB } from "./unfinished.ts";
import { rsyncs } from "./victim.ts";
import { type Workbench, workbench } from "./workbench.ts";

/** A good deal of files, and every kind of entry. */
async function fillAll({ spec }: Workbench, megabytes: number): Promise<void> {
  fill(spec.source, megabytes, 300);
  await everything(spec.source);
}

describe("a repository at work", () => {
  test("whose files go away between their listing and their copying is good but for those, and says so", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    await fillAll(bench, 4);
    const held = await hold(join(spec.source, "big-1"));
    const running = mirror(spec);
    await held.asked;
    // Its list is made, and rsync stands still.
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGSTOP");
    const gone = [...Array(60).keys()].map((i) => `small-${i}`);
    for (const name of gone) rmSync(join(spec.source, name));
    rmSync(join(spec.source, "sticky"), { recursive: true });
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGCONT");
    await held.release();
    const record = await running;
    expect(record).toMatchObject({
      result: "ok-vanished",
      reason: expect.stringMatching(/^6\d files went away while they were copied$/),
      failures: [],
      lastGood: { at: record.startedAt },
    });
    expect(freshness(await readRecord(spec.recordsDir, "demo"), spec, Date.now()).fresh).toBe(true);
    for (const name of gone) expect(existsSync(join(spec.destination, name))).toBe(false);
    await repaired(bench);
  });

  test("whose files change all the time is caught up with", async () => {
    const bench = await workbench("tmpfs", 256);
    const { spec } = bench;
    await fillAll(bench, 20);
    let writes = 0;
    const write = () => {
      writes += 1;
      const name = join(spec.source, `small-${writes % 50}`);
      if (writes % 3 === 0) {
        writeFileSync(`${name}.new`, `renamed ${writes}`);
        renameSync(`${name}.new`, name);
      } else if (writes % 3 === 1) appendFileSync(name, `more ${writes}`);
      else rmSync(name, { force: true });
      appendFileSync(join(spec.source, `big-${writes % 20}`), "tail");
    };
    const writer = setInterval(write, 1);
    onTestFinished(() => clearInterval(writer));
    for (let i = 0; i < 4; i++) {
      const before = writes;
      const { result, failures } = await mirror(spec);
      expect({ result, failures }).toEqual({
        result: expect.stringMatching(/^ok/),
        failures: [],
      });
      expect(writes).toBeGreaterThan(before);
    }
    clearInterval(writer);
    await repaired(bench);
  });
});

test("a clock that is set back makes the copy stale, and no run or verification worse", async () => {
  const bench = await workbench("ext4");
  const { spec } = bench;
  await fillAll(bench, 1);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 86_400_000 });
  onTestFinished(() => void vi.useRealTimers());
  await repaired(bench);
  vi.useRealTimers();
  const { fresh, reason } = freshness(await readRecord(spec.recordsDir, "demo"), spec, Date.now());
  expect([fresh, reason]).toEqual([false, expect.stringContaining("the clock was set back")]);
  writeFileSync(join(spec.source, "small-1"), "of the same day, and shorter");
  // Older than the last run by the clock, and yet an edit.
  const found = await verify(spec, { sample: 100 });
  expect(found).toMatchObject({ ok: true, different: 0, changedSince: 1 });
  await repaired(bench);
  expect(freshness(await readRecord(spec.recordsDir, "demo"), spec, Date.now()).fresh).toBe(true);
});

describe("a disk that is full half-way", () => {
  test("loses no good file, and goes on when there is space", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    fill(spec.source, 20, 50);
    await everything(spec.source);
    await mirror(spec);
    for (let i = 0; i < 10; i++) {
      renameSync(join(spec.source, `big-${i}`), join(spec.source, `moved-${i}`));
    }
    for (let i = 0; i < 60; i++) writeFileSync(join(spec.source, `huge-${i}`), MB);
    const record = await mirror(spec);
    expect(record.result).toBe("failed");
    expect(record.reason).toContain("is full");
    expect(record.lastGood).toBeDefined();
    for (let i = 0; i < 20; i++) {
      expect(readFileSync(join(spec.destination, `big-${i}`)).equals(MB)).toBe(true);
    }
    await mount("-o", "remount,size=256M", spec.backupRoot);
    await repaired(bench);
  });

  test("from the first run on", async () => {
    const bench = await workbench("tmpfs");
    fill(bench.spec.source, 80, 0);
    const record = await mirror(bench.spec);
    expect(record).toMatchObject({ result: "failed", reason: expect.stringContaining("full") });
    for (const name of readdirSync(bench.spec.destination)) {
      expect(statSync(join(bench.spec.destination, name)).size).toBe(MB.length);
    }
    // What has not come to the copy is less now, and fits.
    const names = readdirSync(bench.spec.source).sort();
    for (const name of names.slice(-20)) rmSync(join(bench.spec.source, name));
    await repaired(bench);
    // This fits only when all else is deleted first.
    for (const name of names.slice(10, 60)) rmSync(join(bench.spec.source, name));
    for (let i = 0; i < 45; i++) writeFileSync(join(bench.spec.source, `new-${i}`), MB);
    expect((await mirror(bench.spec)).result).toBe("refused");
    await repaired(bench, { allowDeletes: true });
  });
});
