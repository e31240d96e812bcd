// Started by `npm run bench -- --copies` in a machine of its own, with the options as JSON: mirror
// runs of a real size against plain rsync over the same list.

import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { renderTable } from "../../cli/output/table.ts";
import type { BackupSpec } from "../../rsync/index.ts";
import { AT_ONCE } from "./estate.ts";
import { type Comparison, median, ratio } from "./measure.ts";

interface Options {
  rounds: number;
  json: boolean;
}

const { rounds, json }: Options = JSON.parse(process.argv[2] ?? "{}");

const SCRIPT = fileURLToPath(new URL("mirrors.ts", import.meta.url));
const MANY = { repositories: 50, files: 2_000, bytes: 1_000 };
const LARGE = { repositories: 1, files: 20_000, bytes: 107_374 };

// On a disk, not in memory.
const place = await mkdtemp("/var/tmp/repoman-bench-");

/** Repositories of so many files each, and what their copies are. */
function makeRepositories(kind: string, { repositories, files, bytes }: typeof MANY): BackupSpec[] {
  const root = join(place, kind);
  mkdirSync(join(root, "disk"), { recursive: true });
  return Array.from({ length: repositories }, (_, index) => {
    const name = `r${index}`;
    const source = join(root, "repos", name);
    for (let file = 0; file < files; file++) {
      const folder = join(source, `folder-${Math.floor(file / 100)}`);
      if (file % 100 === 0) mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `file-${file}`), Buffer.alloc(bytes, `${index} ${file} `));
    }
    return {
      name,
      source,
      destination: join(root, "disk", name),
      backupRoot: join(root, "disk"),
      maxAge: 3600,
      hostId: "bench",
      stackId: "bench",
      recordsDir: join(root, "state/backups"),
    };
  });
}

async function measure(
  what: string,
  kind: string,
  specs: BackupSpec[],
  fresh: boolean,
): Promise<Comparison & { peak: number }> {
  process.stderr.write(`${what}: ${rounds} rounds\n`);
  const options = { rounds, specs, fresh, plain: join(place, kind, "plain") };
  const { stdout } = await execa(process.execPath, [SCRIPT, JSON.stringify(options)]);
  const { measured, peak } = JSON.parse(stdout) as {
    measured: { mirror: number; rsync: number }[];
    peak: number;
  };
  return {
    what,
    against: `rsync, ${AT_ONCE} at a time`,
    repoman: measured.map((round) => round.mirror),
    other: measured.map((round) => round.rsync),
    peak,
  };
}

try {
  const all = [
    await measure(
      "nothing to do, 50 repositories, 100,000 files",
      "many",
      makeRepositories("many", MANY),
      false,
    ),
    await measure(
      "first copy, 2 GB, 20,000 files",
      "large",
      makeRepositories("large", LARGE),
      true,
    ),
  ];
  const rows = all.map((each) => [
    each.what,
    (median(each.repoman) / 1000).toFixed(2),
    each.against,
    (median(each.other) / 1000).toFixed(2),
    ratio(each).toFixed(2),
    `${Math.round(each.peak / 1e6)} MB`,
  ]);
  const heads = ["", "seconds", "against", "seconds", "ratio", "own memory"];
  process.stdout.write(
    json
      ? `${JSON.stringify(
          { rounds, comparisons: all.map((each) => ({ ...each, ratio: ratio(each) })) },
          undefined,
          2,
        )}\n`
      : `medians of ${rounds} rounds; ${availableParallelism()} CPUs, load ${loadavg()[0]?.toFixed(1)}\n\n${renderTable(
          heads.map((head) => ({ head })),
          rows,
          undefined,
        )}\n`,
  );
} finally {
  await rm(place, { recursive: true, force: true });
}
