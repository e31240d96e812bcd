// Mirror runs of a real size against plain rsync over the same list.

import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { BackupSpec } from "../../rsync/index.ts";
import { AT_ONCE } from "./estate.ts";
import { type Comparison, type Measured, say } from "./measure.ts";

const SCRIPT = fileURLToPath(new URL("mirrors.ts", import.meta.url));
const MANY = { repositories: 50, files: 2_000, bytes: 1_000 };
const LARGE = { repositories: 1, files: 20_000, bytes: 107_374 };

/** A disk takes as long as it likes: fewer rounds than this say little. */
export const FEWEST_ROUNDS = 9;
/** On a disk, not in memory. */
const PLACE = "/var/tmp";
/** What the repositories and one copy of them take at most, with some room. */
const SPACE = 8e9;

/** Repositories of so many files each, and what their copies are. */
function makeRepositories(root: string, { repositories, files, bytes }: typeof MANY): BackupSpec[] {
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
  root: string,
  { specs, rounds, fresh }: { specs: BackupSpec[]; rounds: number; fresh: boolean },
): Promise<{ comparison: Comparison; peak: number }> {
  say(`${what}: ${rounds} rounds`);
  const options = { rounds, specs, fresh, plain: join(root, "plain") };
  const { stdout } = await execa(process.execPath, [SCRIPT, JSON.stringify(options)]);
  const { measured, peak } = JSON.parse(stdout) as {
    measured: { mirror: number; rsync: number }[];
    peak: number;
  };
  const comparison = {
    what,
    against: `rsync, ${AT_ONCE} at a time`,
    repoman: measured.map((round) => round.mirror),
    other: measured.map((round) => round.rsync),
  };
  return { comparison, peak };
}

/** @returns undefined where there is no room for it */
export async function measureCopies(wanted: number): Promise<Measured | undefined> {
  const rounds = Math.max(wanted, FEWEST_ROUNDS);
  const { bavail, bsize } = await statfs(PLACE);
  if (bavail * bsize < SPACE) {
    say(`copies of a real size are left out: they take ${SPACE / 1e9} GB in ${PLACE}`);
    return undefined;
  }
  const place = await mkdtemp(join(PLACE, "repoman-bench-"));
  try {
    const many = join(place, "many");
    const idle = await measure("nothing to copy, 50 repositories, 100,000 files", many, {
      specs: makeRepositories(many, MANY),
      rounds,
      fresh: false,
    });
    await rm(many, { recursive: true });
    const large = join(place, "large");
    const first = await measure("first copy, 2 GB, 20,000 files", large, {
      specs: makeRepositories(large, LARGE),
      rounds,
      fresh: true,
    });
    return {
      comparisons: [idle.comparison, first.comparison],
      memory: new Map([["mirror runs", Math.max(idle.peak, first.peak)]]),
    };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
