import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freshness, type MirrorOptions, mirror, readRecord } from "../../rsync/index.ts";
import { verify } from "../../rsync/verify.ts";
import { mount } from "../rig/mounts.ts";
import { repaired } from "./repaired.ts";
import { fill, MB } from "./unfinished.ts";
import { workbench } from "./workbench.ts";

/** Calls `act` once, when the copying begins. */
function atCopying(act: () => void): MirrorOptions {
  let done = false;
  return {
    onProgress: ({ phase }) => {
      if (phase !== "copying" || done) return;
      done = true;
      act();
    },
  };
}

describe("a repository at work", () => {
  test("whose files go away during the copy is copied all the same", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    fill(spec.source, 30, 100);
    const record = await mirror(
      spec,
      atCopying(() => {
        // Listed by then or not; rsync must cope with either.
        setTimeout(() => {
          for (let i = 0; i < 100; i++) rmSync(join(spec.source, `small-${i}`));
        }, 10);
      }),
    );
    expect(["ok", "ok-vanished"]).toContain(record.result);
    await repaired(bench, { allowDeletes: true });
  });

  test("whose files change all the time is caught up with", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    fill(spec.source, 20, 50);
    let writes = 0;
    const writer = setInterval(() => {
      writes += 1;
      const name = join(spec.source, `small-${writes % 50}`);
      if (writes % 3 === 0) {
        writeFileSync(`${name}.new`, `renamed ${writes}`);
        renameSync(`${name}.new`, name);
      } else if (writes % 3 === 1) appendFileSync(name, `more ${writes}`);
      else rmSync(name, { force: true });
      appendFileSync(join(spec.source, `big-${writes % 20}`), "tail");
    }, 1);
    for (let i = 0; i < 4; i++) {
      const { result, failures } = await mirror({ ...spec, maxDeletePercent: 100 });
      expect({ result, failures }).toEqual({
        result: expect.stringMatching(/^ok/),
        failures: [],
      });
    }
    clearInterval(writer);
    await pause(5);
    expect(writes).toBeGreaterThan(20);
    await repaired(bench, { allowDeletes: true });
  });
});

test("a clock that is set back makes the copy stale, and no run or verification worse", async () => {
  const bench = await workbench("plain");
  const { spec } = bench;
  fill(spec.source, 1, 20);
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
    // What fits now is what is left when all else is deleted first.
    for (let i = 30; i < 80; i++) rmSync(join(bench.spec.source, `big-${i}`));
    for (let i = 0; i < 30; i++) writeFileSync(join(bench.spec.source, `new-${i}`), MB);
    expect((await mirror(bench.spec)).result).toBe("refused");
    await repaired(bench, { allowDeletes: true });
  });
});
