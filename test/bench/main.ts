// Started by tools/bench.js in a machine of its own, with the options as JSON.

import { availableParallelism, hostname, loadavg } from "node:os";
import { join } from "node:path";
import { renderTable } from "../../cli/output/table.ts";
import { paths } from "../../host/paths.js";
import type { BackupArgs } from "../../providers/backup.ts";
import type { BackupSpec } from "../../rsync/index.ts";
import { AT_ONCE, type Bench, good, makeBench } from "./estate.ts";
import { type Comparison, clock, median, peakMemory, ratio } from "./measure.ts";

interface Options {
  containers: number;
  rounds: number;
  json: boolean;
}

const options: Options = JSON.parse(process.argv[2] ?? "{}");
const { containers, rounds, json } = options;

const RAW = `raw API, ${AT_ONCE} at a time`;
const all: Comparison[] = [];

function comparison(what: string, against: string): Comparison {
  const made = { what, against, repoman: [], other: [] };
  all.push(made);
  return made;
}

/** Unchanged, with a container and a copy for each repository. */
async function previews(bench: Bench): Promise<Map<string, number>> {
  const empty = comparison("repoman preview, unchanged", "pulumi preview of an empty program");
  const reads = comparison(empty.what, "raw reads");
  const plain = comparison("pulumi preview, unchanged", empty.against);
  await bench.emptyPreview();
  for (let round = 0; round < rounds; round++) {
    say(`previews, round ${round + 1} of ${rounds}`);
    const whole = await clock(() => bench.repoman("preview"));
    const nothing = await clock(bench.emptyPreview);
    const engine = await clock(() => bench.pulumi("preview"));
    empty.repoman.push(whole);
    reads.repoman.push(whole);
    plain.repoman.push(engine);
    empty.other.push(nothing);
    plain.other.push(nothing);
    reads.other.push(await clock(bench.rawReads));
  }
  return peakMemory(bench.host.spawnRepoman(["preview", "--stack", "bench"]));
}

async function mirrors({ host }: Bench): Promise<void> {
  say("copies that are up to date");
  const deployment = host.deployment("bench");
  const specs: BackupSpec[] = deployment.resources
    .filter(({ type }: { type: string }) => type.endsWith(":RsyncBackup"))
    .map(({ inputs: { owner, ...rest } }: { inputs: BackupArgs }) => ({
      ...rest,
      hostId: hostname(),
      stackId: owner.id,
      recordsDir: paths({ HOME: host.home }).backupRecords,
    }));
  const script = join(host.project, "test/bench/mirrors.ts");
  const plain = join(host.home, "plain");
  const argv = [process.execPath, script, JSON.stringify({ rounds, specs, plain })];
  const { stdout } = good(await host.run(argv));
  const { repoman, other } = comparison("copies, unchanged", `rsync, ${AT_ONCE} at a time`);
  for (const round of JSON.parse(stdout).measured) {
    repoman.push(round.mirror);
    other.push(round.rsync);
  }
}

/** Containers only: the raw side has no copies. */
async function upAndDestroy(bench: Bench): Promise<void> {
  const up = comparison("repoman up, from nothing", RAW);
  const destroy = comparison("repoman destroy", RAW);
  bench.declare(false);
  for (let round = 0; round < rounds; round++) {
    say(`up and destroy, round ${round + 1} of ${rounds}`);
    up.other.push(await clock(bench.rawCreate));
    destroy.other.push(await clock(bench.rawDelete));
    up.repoman.push(await clock(() => bench.repoman("up", "--yes")));
    destroy.repoman.push(await clock(() => bench.repoman("destroy", "--yes")));
  }
}

function say(what: string): void {
  process.stderr.write(`${what}\n`);
}

function seconds(values: readonly number[]): string {
  const value = median(values) / 1000;
  return value.toFixed(value < 1 ? 3 : 2);
}

function report(peaks: ReadonlyMap<string, number>): string {
  const heads = ["", "seconds", "against", "seconds", "ratio"];
  const rows = all.map((each, index) => [
    ...(each.what === all[index - 1]?.what ? ["", ""] : [each.what, seconds(each.repoman)]),
    each.against,
    seconds(each.other),
    ratio(each).toFixed(2),
  ]);
  const memory = [...peaks].map(([role, bytes]) => [role, `${Math.round(bytes / 1e6)} MB`]);
  const columns = (names: string[]) => names.map((head) => ({ head }));
  return [
    `${containers} containers; medians of ${rounds} rounds; ${availableParallelism()} CPUs, load ${loadavg()[0]?.toFixed(1)}`,
    renderTable(columns(heads), rows, undefined),
    renderTable(columns(["preview's processes", "peak memory"]), memory, undefined),
  ].join("\n\n");
}

say(`making ${containers} repositories, containers and copies`);
const bench = await makeBench(containers);
bench.declare(true);
await bench.repoman("up", "--yes");
await bench.learn();
const peaks = await previews(bench);
await mirrors(bench);
await bench.repoman("destroy", "--yes");
await upAndDestroy(bench);
process.stdout.write(
  json
    ? `${JSON.stringify({ ...options, cpus: availableParallelism(), comparisons: all.map((each) => ({ ...each, ratio: ratio(each) })), memory: Object.fromEntries(peaks) }, undefined, 2)}\n`
    : `${report(peaks)}\n`,
);
// The daemon ends with the machine.
process.exit(0);
