// kill -9, of rsync and of everything at once, at moments spread over a whole run. (That of the
// command alone is in test/cli/sync-user.live.test.ts.)

import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { mirror, readRecord } from "../../rsync/index.ts";
import { start } from "../rig/command.ts";
import { until } from "../rig/place.ts";
import { signal } from "../rig/processes.ts";
import { repaired } from "./repaired.ts";
import { fsck, MOMENTS, rsyncs, Victim } from "./victim.ts";
import { type Workbench, workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-mirror.ts", import.meta.url));

async function copied(): Promise<{ bench: Workbench; victim: Victim; took: number }> {
  const bench = await workbench("plain");
  const victim = new Victim(bench.spec.source);
  await victim.make();
  await repaired(bench);
  await victim.edit();
  // As long as those that are killed would take.
  const { seconds } = await repaired(bench);
  return { bench, victim, took: seconds * 1000 };
}

/** What follows each kill: no harm done, and the next run repairs. */
async function survived(bench: Workbench, victim: Victim): Promise<void> {
  const { spec } = bench;
  await until("rsync's end", () => rsyncs(spec).length === 0);
  expect(await victim.harmed(spec.destination)).toEqual([]);
  await repaired(bench);
  expect(await fsck(spec.destination)).toBe("");
}

test("rsync, killed at ten moments: the run says so, nothing is lost, and the next one repairs", async () => {
  const { bench, victim, took } = await copied();
  const { spec } = bench;
  const results: string[] = [];
  for (let moment = 0; moment < MOMENTS; moment++) {
    await victim.edit();
    const running = mirror(spec);
    await pause((took * moment) / MOMENTS);
    // Between two phases there is none: then it is the next one's turn.
    let ended = false;
    void running.then(() => {
      ended = true;
    });
    const found = await until("rsync", () => ended || rsyncs(spec).at(moment % 2 ? -1 : 0));
    if (typeof found === "object") signal(found.pid, "SIGKILL");
    const { result, reason } = await running;
    results.push(result);
    if (result !== "ok") expect({ result, reason }).toMatchObject({ result: "failed" });
    await survived(bench, victim);
  }
  expect(results.filter((result) => result === "failed").length).toBeGreaterThan(MOMENTS / 2);
});

test("everything, killed at ten moments: nothing is lost, and the next run repairs", async () => {
  const { bench, victim, took } = await copied();
  const { spec } = bench;
  const records: (string | undefined)[] = [];
  for (let moment = 0; moment < MOMENTS; moment++) {
    await victim.edit();
    const running = start([process.execPath, SCRIPT, JSON.stringify(spec)]);
    await running.printed("begun");
    await pause((took * moment) / MOMENTS);
    await running.killAll();
    await running.done;
    const record = await readRecord(spec.recordsDir, spec.name);
    records.push(record?.reason);
    await survived(bench, victim);
  }
  // Of those that had begun to write.
  expect(records.filter((reason) => reason?.includes("cut off")).length).toBeGreaterThan(2);
});
