// A copy that is not there yet, or not any more.

import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mirror, pending, readRecord } from "../../rsync/index.ts";
import { until } from "../rig/place.ts";
import { signal } from "../rig/processes.ts";
import { repaired } from "./repaired.ts";
import { Vast } from "./unfinished.ts";
import { rsyncs } from "./victim.ts";
import { fillSmall, workbench } from "./workbench.ts";

const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);

test("a first copy that is killed is repaired, though what it left is more than may be deleted", async () => {
  const bench = await workbench("tmpfs");
  const { spec } = bench;
  writeFileSync(join(spec.source, "small"), "small");
  const large = new Vast(spec);
  const left = () => namesIn(spec.destination).filter((name) => /^\.vast\..{6}$/.test(name));
  const running = mirror(spec);
  await until("rsync", () => rsyncs(spec).length >= 3 && large.isRead && left().length > 0);
  for (const { pid } of rsyncs(spec)) signal(pid, "SIGKILL");
  expect((await running).result).toBe("failed");
  large.remove();
  expect(left()).toHaveLength(1);
  await repaired(bench);
});

test("what a killed run left is cleared although the disk was out of reach in between", async () => {
  const bench = await workbench("tmpfs");
  const { spec } = bench;
  fillSmall(bench);
  await repaired(bench);
  const left = join(
    spec.destination,
    `.repoman-${(await readRecord(spec.recordsDir, "demo"))?.disk?.id}`,
  );
  mkdirSync(left);
  writeFileSync(join(left, "half"), "half");
  const away = await mirror({ ...spec, expectedFstype: "nfs4" });
  expect(away.result).toBe("refused");
  await repaired(bench);
});

test("a copy has the time of the repository's folder from the first run on, and nothing more to do", async () => {
  const bench = await workbench("ext4");
  const { spec } = bench;
  fillSmall(bench);
  const phases: string[] = [];
  const first = await mirror(spec, { onProgress: ({ phase }) => phases.push(phase) });
  expect(first.result).toBe("ok");
  expect(new Set(phases)).toEqual(new Set(["checking", "copying"]));
  expect(statSync(spec.destination, { bigint: true }).mtimeNs).toBe(
    statSync(spec.source, { bigint: true }).mtimeNs,
  );
  expect(readdirSync(spec.destination)).toEqual(readdirSync(spec.source));
  phases.length = 0;
  await mirror(spec, { onProgress: ({ phase }) => phases.push(phase) });
  expect(new Set(phases)).toEqual(new Set(["checking", "comparing"]));
});

test("a copy that has gone is not made anew of a repository that has all but gone", async () => {
  const bench = await workbench("tmpfs");
  const { spec } = bench;
  fillSmall(bench, 100);
  const good = await repaired(bench);
  rmSync(spec.destination, { recursive: true });
  for (let i = 1; i < 100; i++) rmSync(join(spec.source, `file-${i}`));
  const refused = await mirror(spec);
  expect(refused).toMatchObject({ result: "refused", lastGood: good.lastGood });
  expect(refused.reason).toMatch(/has 4 files; at the last good run it had 103/);
  expect(readdirSync(spec.backupRoot)).not.toContain("demo");
  // Who asks beforehand is told the same.
  expect(await pending(spec)).toMatchObject({ refused: { reason: refused.reason } });
  await repaired(bench, { allowDeletes: 0 });
});

test("a copy that has gone is made anew", async () => {
  const bench = await workbench("tmpfs");
  fillSmall(bench);
  await repaired(bench);
  rmSync(bench.spec.destination, { recursive: true });
  const again = await repaired(bench);
  expect(again.counts.created).toBeGreaterThan(8);
});

test("no more is deleted than was agreed with", async () => {
  const bench = await workbench("tmpfs");
  const { spec } = bench;
  fillSmall(bench, 20);
  await repaired(bench);
  for (let i = 0; i < 10; i++) rmSync(join(spec.source, `file-${i}`));
  const refused = await mirror(spec, { allowDeletes: 9 });
  expect(refused).toMatchObject({
    result: "refused",
    reason: "10 files would be deleted by now, and 9 were agreed with",
  });
  expect(readdirSync(spec.destination)).toContain("file-0");
  const { counts } = await repaired(bench, { allowDeletes: 10 });
  expect(counts.deleted).toBe(10);
});
