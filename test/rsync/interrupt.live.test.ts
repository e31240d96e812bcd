import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type BackupSpec, freshness, mirror, readHistory, readRecord } from "../../rsync/index.ts";
import { start } from "../rig/command.ts";
import { until } from "../rig/place.ts";
import { signal } from "../rig/processes.ts";
import { entriesOf, strangers } from "./files-of.ts";
import { hold } from "./hold.ts";
import { repaired } from "./repaired.ts";
import { fill, Vast } from "./unfinished.ts";
import { rsyncs } from "./victim.ts";
import { workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-mirror.ts", import.meta.url));

/** One mirror run in a process of its own. */
const startMirror = (spec: BackupSpec) => start([process.execPath, SCRIPT, JSON.stringify(spec)]);

/** Waits until rsync is in the middle of a large file, with all of its processes. */
async function rsyncRuns(spec: BackupSpec, large: Vast): Promise<void> {
  await until("rsync", () => rsyncs(spec).length >= 3 && large.isRead);
}

describe("a run that is interrupted", () => {
  test("by an abort ends in the middle of a file, leaves nothing of it, and says so", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    fill(spec.source, 2);
    const large = new Vast(spec);
    const stop = new AbortController();
    const running = mirror(spec, { signal: stop.signal });
    await rsyncRuns(spec, large);
    stop.abort();
    const record = await running;
    expect(record).toMatchObject({ result: "failed", reason: "It was interrupted" });
    expect(rsyncs(spec)).toEqual([]);
    large.remove();
    expect(readdirSync(spec.destination).filter((name) => name.startsWith("."))).toEqual([]);
    expect(strangers(spec.destination, entriesOf(spec.source))).toEqual([]);
    await repaired(bench);
  });

  test("before it began changes nothing", async () => {
    const bench = await workbench("tmpfs");
    fill(bench.spec.source, 1, 3);
    const record = await mirror(bench.spec, { signal: AbortSignal.abort() });
    expect(record).toMatchObject({ result: "failed", reason: "It was interrupted" });
    expect(readdirSync(bench.spec.backupRoot)).not.toContain("demo");
    await repaired(bench);
  });

  test("by a kill of this process leaves a record, and a lock while rsync lives", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    fill(spec.source, 1);
    await mirror(spec);
    const large = new Vast(spec);
    const running = startMirror(spec);
    await rsyncRuns(spec, large);
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
    large.remove();
    await repaired(bench);
  });

  test("by a disk that hangs is ended after a while", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    fill(spec.source, 2);
    const large = new Vast(spec);
    const running = mirror({ ...spec, stallAfter: 1_000 });
    await rsyncRuns(spec, large);
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGSTOP");
    const record = await running;
    expect(record.result).toBe("failed");
    expect(record.reason).toContain("Nothing moved for 1 s");
    expect(rsyncs(spec)).toEqual([]);
    large.remove();
    await repaired(bench);
  });
});

describe("two runs of one repository", () => {
  test("of which one ends while the other only looks: that one begins again", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    fill(spec.source, 1, 8);
    await repaired(bench);
    writeFileSync(join(spec.source, "new"), "new");
    const phases: string[] = [];
    const record = await mirror(spec, {
      onProgress: ({ phase }) => {
        phases.push(phase);
        const first = phases.filter((one) => one === "comparing").length === 1;
        if (phase !== "comparing" || !first) return;
        execFileSync(process.execPath, [SCRIPT, JSON.stringify(spec)]);
      },
    });
    expect(phases).toEqual(["checking", "comparing", "checking", "comparing"]);
    expect(record).toMatchObject({ result: "ok", counts: { copied: 0 } });
    const runs = await readHistory(spec.recordsDir, spec.name);
    expect(runs.map(({ counts }) => counts.copied)).toEqual([9, 1, 0]);
  });

  test("at once in one process: one works, and the others say so", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    fill(spec.source, 2);
    const held = await hold(join(spec.source, "big-0"));
    const runs = [mirror(spec), mirror(spec), mirror(spec)];
    const refused: unknown[] = [];
    for (const run of runs) run.catch((error) => refused.push(error));
    await held.asked;
    await until("the others", () => refused.length >= 2);
    await held.release();
    const ended = await Promise.allSettled(runs);
    expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
    for (const error of refused) {
      expect(error).toMatchObject({ name: "Fault", exitCode: 4 });
      expect(String(error)).toContain("already running");
    }
    expect(await readHistory(spec.recordsDir, spec.name)).toHaveLength(1);
    await repaired(bench);
  });

  test("at once in two processes: one works, and the other says so", async () => {
    const bench = await workbench("tmpfs");
    const { spec } = bench;
    fill(spec.source, 2);
    const held = await hold(join(spec.source, "big-0"));
    const first = startMirror(spec);
    await held.asked;
    await expect(mirror(spec)).rejects.toThrow("already running");
    await held.release();
    expect(await first.done).toMatchObject({ exitCode: 0 });
    expect(first.output).toContain('"result":"ok"');
    await repaired(bench);
  });
});
