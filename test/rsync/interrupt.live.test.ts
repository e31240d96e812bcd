import { readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type BackupSpec, freshness, mirror, readHistory, readRecord } from "../../rsync/index.ts";
import { start } from "../rig/command.ts";
import { until } from "../rig/place.ts";
import { signal } from "../rig/processes.ts";
import { repaired } from "./repaired.ts";
import { fill } from "./unfinished.ts";
import { rsyncs } from "./victim.ts";
import { workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-mirror.ts", import.meta.url));

/** One mirror run in a process of its own. */
const startMirror = (spec: BackupSpec) => start([process.execPath, SCRIPT, JSON.stringify(spec)]);

/**
 * A file of holes, with which rsync is still at it when it is stopped, however busy the machine.
 *
 * @returns takes it away again
 */
function vast({ source }: BackupSpec): () => void {
  const file = join(source, "vast");
  writeFileSync(file, "");
  truncateSync(file, 8 * 2 ** 30);
  return () => rmSync(file);
}

async function rsyncRuns(spec: BackupSpec): Promise<void> {
  await until("rsync", () => rsyncs(spec).length >= 3);
}

describe("a run that is interrupted", () => {
  test("by an abort ends at once and says so", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    fill(spec.source, 2);
    const remove = vast(spec);
    const stop = new AbortController();
    const running = mirror(spec, { signal: stop.signal });
    await rsyncRuns(spec);
    await pause(20);
    const begun = performance.now();
    stop.abort();
    const record = await running;
    expect(performance.now() - begun).toBeLessThan(4_000);
    expect(record).toMatchObject({ result: "failed", reason: "It was interrupted" });
    expect(rsyncs(spec)).toEqual([]);
    expect(readdirSync(spec.destination).filter((name) => name.startsWith("."))).toEqual([]);
    remove();
    await repaired(bench);
  });

  test("before it began changes nothing", async () => {
    const bench = await workbench("plain");
    fill(bench.spec.source, 1, 3);
    const record = await mirror(bench.spec, { signal: AbortSignal.abort() });
    expect(record).toMatchObject({ result: "failed", reason: "It was interrupted" });
    expect(readdirSync(bench.spec.backupRoot)).not.toContain("demo");
    await repaired(bench);
  });

  test("by a kill of this process leaves a record, and a lock while rsync lives", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    fill(spec.source, 1);
    await mirror(spec);
    const remove = vast(spec);
    const running = startMirror(spec);
    await rsyncRuns(spec);
    await running.printed("copying");
    const [leader] = rsyncs(spec);
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGSTOP");
    running.kill("SIGKILL");
    await running.done;
    expect(leader && rsyncs(spec).map(({ pid }) => pid)).toContain(leader?.pid);
    await expect(mirror(spec)).rejects.toMatchObject({ exitCode: 4 });

    const record = await readRecord(spec.recordsDir, spec.name);
    expect(record).toMatchObject({ result: "failed", reason: expect.stringContaining("cut off") });
    expect(record?.lastGood).toBeDefined();
    expect(freshness(record, spec, Date.now()).fresh).toBe(false);
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGKILL");
    await until("rsync's end", () => rsyncs(spec).length === 0);
    remove();
    await repaired(bench);
  });

  test("by a disk that hangs is ended after a while", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    fill(spec.source, 2);
    const remove = vast(spec);
    const running = mirror({ ...spec, stallAfter: 1_000 });
    await rsyncRuns(spec);
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGSTOP");
    const record = await running;
    expect(record.result).toBe("failed");
    expect(record.reason).toContain("Nothing moved for 1 s");
    expect(rsyncs(spec)).toEqual([]);
    remove();
    await repaired(bench);
  });
});

describe("two runs of one repository", () => {
  test("at once: one works, the other says so", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    fill(spec.source, 40);
    const runs = await Promise.allSettled([mirror(spec), mirror(spec), mirror(spec)]);
    const good = runs.filter(({ status }) => status === "fulfilled");
    expect(good).toHaveLength(1);
    for (const run of runs) {
      if (run.status === "fulfilled") continue;
      expect(run.reason).toMatchObject({ name: "Fault", exitCode: 4 });
      expect(String(run.reason)).toContain("already running");
    }
    expect(await readHistory(spec.recordsDir, spec.name)).toHaveLength(1);
    await repaired(bench);
  });

  test("from two processes: the same", async () => {
    const bench = await workbench("plain");
    const { spec } = bench;
    fill(spec.source, 80);
    const first = startMirror(spec);
    await first.printed("copying");
    await expect(mirror(spec)).rejects.toThrow("already running");
    expect((await first.done).exitCode).toBe(0);
    await repaired(bench);
  });
});
