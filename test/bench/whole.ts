// A whole estate, with a container and a copy for each repository: previews, runs with nothing to
// copy, up and destroy.

import { hostname } from "node:os";
import { join } from "node:path";
import { paths } from "../../host/paths.js";
import type { BackupArgs } from "../../providers/backup.ts";
import type { BackupSpec } from "../../rsync/index.ts";
import { AT_ONCE, type Bench, good, makeBench } from "./estate.ts";
import { type Comparison, clock, type Measured, peakMemory, say } from "./measure.ts";

const RAW = `raw API, ${AT_ONCE} at a time`;

interface Round {
  rounds: number;
  comparison: (what: string, against: string) => Comparison;
}

export async function measureWhole(containers: number, rounds: number): Promise<Measured> {
  const comparisons: Comparison[] = [];
  const round: Round = {
    rounds,
    comparison: (what, against) => {
      const made = { what, against, repoman: [], other: [] };
      comparisons.push(made);
      return made;
    },
  };
  say(`making ${containers} repositories, containers and copies`);
  const bench = await makeBench(containers);
  bench.declare(true);
  await bench.repoman("up", "--yes");
  await bench.learn();
  const memory = await previews(bench, round);
  await mirrors(bench, round);
  await bench.repoman("destroy", "--yes");
  await upAndDestroy(bench, round);
  return { comparisons, memory };
}

/** Unchanged, with a container and a copy for each repository. */
async function previews(bench: Bench, { rounds, comparison }: Round): Promise<Map<string, number>> {
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

async function mirrors({ host }: Bench, { rounds, comparison }: Round): Promise<void> {
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
async function upAndDestroy(bench: Bench, { rounds, comparison }: Round): Promise<void> {
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
