// kill -9, of rsync and of everything at once, at moments all over a run: rsync is held where it opens
// a file of each phase. (The command alone is killed in test/cli/sync-user.live.test.ts.)

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type BackupSpec, mirror, readRecord } from "../../rsync/index.ts";
import { start } from "../rig/command.ts";
import { mount } from "../rig/mounts.ts";
import { until } from "../rig/place.ts";
import { signal } from "../rig/processes.ts";
import { everything } from "./everything.ts";
import { entriesOf, strangers } from "./files-of.ts";
import { type Hold, hold } from "./hold.ts";
import { repaired } from "./repaired.ts";
import { Vast } from "./unfinished.ts";
import { fsck, MOMENTS, rsyncs, Victim } from "./victim.ts";
import { type Workbench, workbench } from "./workbench.ts";

const SCRIPT = fileURLToPath(new URL("run-mirror.ts", import.meta.url));
const startMirror = (spec: BackupSpec) => start([process.execPath, SCRIPT, JSON.stringify(spec)]);

async function copied(): Promise<{ bench: Workbench; victim: Victim }> {
  const bench = await workbench("ext4", 64);
  const victim = new Victim(bench.spec.source);
  await victim.make();
  await repaired(bench);
  return { bench, victim };
}

/** Edits the victim ten times and gives a later moment of its next run each time. */
async function* moments(victim: Victim): AsyncGenerator<{ moment: number; held: Hold }> {
  for (let moment = 0; moment < MOMENTS; moment++) {
    await victim.edit();
    const held = await hold((await victim.opened())[moment] ?? "");
    yield { moment, held };
    await held.release();
  }
}

/** What follows each kill: no harm is done, and the next run repairs. */
async function survived(bench: Workbench, victim: Victim): Promise<void> {
  const { spec } = bench;
  await until("rsync's end", () => rsyncs(spec).length === 0);
  expect(await victim.harmed(spec.destination)).toEqual([]);
  await repaired(bench);
  expect(await fsck(spec.destination)).toBe("");
}

test("rsync, killed in each phase: the run says so, nothing is lost, and the next one repairs", async () => {
  const { bench, victim } = await copied();
  const { spec } = bench;
  await victim.edit();
  const last = await hold((await victim.opened()).at(-1) ?? "");
  const deleting = mirror(spec);
  await last.asked;
  await last.release();
  // Some of the old names are gone by now, or none, or all.
  for (const { pid } of rsyncs(spec)) signal(pid, "SIGKILL");
  await deleting;
  await survived(bench, victim);

  for await (const { moment, held } of moments(victim)) {
    const running = mirror(spec);
    await held.asked;
    const found = rsyncs(spec);
    expect(found.length).toBeGreaterThanOrEqual(2);
    // The one that reads is held; the others are at what came before.
    signal(found.at(moment % 2 ? -1 : 0)?.pid ?? 0, "SIGKILL");
    await held.release();
    expect(await running).toMatchObject({ result: "failed" });
    await survived(bench, victim);
  }

  await victim.edit();
  const comparing = mirror(spec);
  const [first] = await until("the comparison", () => {
    const found = rsyncs(spec);
    return found.length > 0 && found;
  });
  signal(first?.pid ?? 0, "SIGKILL");
  expect(await comparing).toMatchObject({ result: "failed", reason: "rsync was killed" });
  await survived(bench, victim);
});

test("everything, killed in each phase: nothing is lost, and the next run repairs", async () => {
  const { bench, victim } = await copied();
  const { spec } = bench;
  for await (const { held } of moments(victim)) {
    const running = startMirror(spec);
    await held.asked;
    expect(rsyncs(spec).length).toBeGreaterThanOrEqual(2);
    await running.killAll();
    await held.release();
    await running.done;
    const record = await readRecord(spec.recordsDir, spec.name);
    expect(record?.reason).toContain("cut off");
    await survived(bench, victim);
  }
});

test("on a file system of its own a copy is repaired after a kill, and a run that is stopped leaves nothing in it", async () => {
  const bench = await workbench("tmpfs");
  const { spec } = bench;
  await everything(spec.source);
  mkdirSync(spec.destination);
  await mount("-t", "tmpfs", "-o", "size=64M", "copy", spec.destination);
  await repaired(bench);
  const edited = join(spec.source, "plain");
  writeFileSync(edited, "edited");
  await repaired(bench);

  writeFileSync(edited, "edited again");
  const large = new Vast(spec);
  const killed = startMirror(spec);
  await until("the large file", () => large.isRead);
  await killed.killAll();
  await killed.done;
  large.remove();
  await repaired(bench);

  const larger = new Vast(spec);
  const stop = new AbortController();
  const stopped = mirror(spec, { signal: stop.signal });
  await until("the large file", () => larger.isRead);
  stop.abort();
  expect(await stopped).toMatchObject({ result: "failed", reason: "It was interrupted" });
  larger.remove();
  expect(readdirSync(spec.destination)).toEqual(readdirSync(spec.source));
  expect(strangers(spec.destination, entriesOf(spec.source))).toEqual([]);
  await repaired(bench);
});
