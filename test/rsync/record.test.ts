import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunRecord } from "../../rsync/index.ts";
import { noCounts } from "../../rsync/output.ts";
import {
  appendHistory,
  readHistory,
  readRecord,
  renameRecord,
  writeRecord,
} from "../../rsync/record.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "repoman-records-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (seconds: number): RunRecord => ({
  schema: 1,
  name: "demo",
  source: "/repos/demo",
  destination: "/backup/demo",
  result: "ok",
  startedAt: "2026-01-01T00:00:00Z",
  endedAt: "2026-01-01T00:00:00Z",
  seconds,
  counts: noCounts(),
  failures: [],
  warnings: [],
});

test("a record is read as it was written, and is the user's alone", async () => {
  await writeRecord(folder, run(1));
  expect(await readRecord(folder, "demo")).toEqual(run(1));
  expect((await stat(join(folder, "demo.json"))).mode & 0o777).toBe(0o600);
});

test("what is no record is none", async () => {
  expect(await readRecord(folder, "demo")).toBeUndefined();
  for (const text of ["", "{", "null", '{"schema":2}', '{"schema":1,"name":"demo"}']) {
    await writeFile(join(folder, "demo.json"), text);
    expect(await readRecord(folder, "demo")).toBeUndefined();
  }
});

test("a torn line of the history is lost alone", async () => {
  await appendHistory(folder, run(1));
  await appendFile(join(folder, "demo.history.jsonl"), '{"schema":1,"na');
  await appendHistory(folder, run(2));
  expect((await readHistory(folder, "demo")).map(({ seconds }) => seconds)).toEqual([1, 2]);
});

test("a history that has grown large is cut to its newer half", async () => {
  const file = join(folder, "demo.history.jsonl");
  const line = `${JSON.stringify(run(0))}\n`;
  await writeFile(file, line.repeat(Math.ceil((4 << 20) / line.length)));
  await appendHistory(folder, run(9));
  expect((await stat(file)).size).toBeLessThan(3 << 20);
  expect((await readHistory(folder, "demo")).at(-1)?.seconds).toBe(9);
  expect((await readFile(file, "utf8")).startsWith('{"schema":1')).toBe(true);
});

test("the record and the history go along with a project that is renamed, however often", async () => {
  await writeRecord(folder, run(1));
  await appendHistory(folder, run(1));
  await renameRecord(folder, "demo", "shown");
  expect(await readRecord(folder, "shown")).toEqual({ ...run(1), name: "shown" });
  expect(await readHistory(folder, "shown")).toEqual([{ ...run(1), name: "shown" }]);
  expect(await readRecord(folder, "demo")).toBeUndefined();
  expect(await readHistory(folder, "demo")).toEqual([]);
  await renameRecord(folder, "demo", "shown");
  expect(await readRecord(folder, "shown")).toMatchObject({ seconds: 1 });
});

test("what was recorded under the new name meanwhile is newer, and stays", async () => {
  await writeRecord(folder, run(1));
  await appendHistory(folder, run(1));
  const newer = { ...run(2), name: "shown", startedAt: "2026-01-02T00:00:00Z" };
  await writeRecord(folder, newer);
  await appendHistory(folder, newer);
  await renameRecord(folder, "demo", "shown");
  expect(await readRecord(folder, "shown")).toEqual(newer);
  expect(await readHistory(folder, "shown")).toMatchObject([{ seconds: 1 }, { seconds: 2 }]);
});
