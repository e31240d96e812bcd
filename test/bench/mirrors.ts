// Run as the user, in the user's copy of the project: mirrors repositories by repoman and by plain
// rsync, in turns. Prints the milliseconds of each round and the peak memory of this process, which
// is repoman's part, in bytes.
//
//     node mirrors.ts <options as JSON>

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { BackupSpec } from "../../rsync/index.ts";
import { mirror, runFault } from "../../rsync/index.ts";
import { inParallel } from "./estate.ts";
import { clock, highWater } from "./measure.ts";

interface Options {
  rounds: number;
  specs: BackupSpec[];
  /** Where rsync puts its copies, apart from repoman's: neither helps the other. */
  plain: string;
  /** Whether each begins without any copy. */
  fresh?: boolean;
}

const { rounds, specs, plain, fresh }: Options = JSON.parse(process.argv[2] ?? "{}");

const byMirror = () =>
  inParallel(specs, async (spec) => {
    const fault = runFault(await mirror(spec));
    if (fault) throw fault;
  });
/** As lean as can be: what it takes is rsync's own, and this process's memory is repoman's part. */
const byRsync = () =>
  inParallel(specs, async ({ name, source }) => {
    const places = [`${source}/`, `${join(plain, name)}/`];
    await run("rsync", "-aHAXS", "--numeric-ids", "--delete", ...places);
  });
async function run(program: string, ...args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with code ${code}`);
}

/** There is no copy, none is known of, and nothing is left to be written. */
const empty = async () => {
  const known = specs.flatMap(({ destination, recordsDir }) => [destination, recordsDir]);
  // By a child: this process's memory is what is measured.
  await run("rm", "-rf", "--", plain, ...known);
  await mkdir(plain, { recursive: true });
  await run("sync");
};

await mkdir(plain, { recursive: true });
// What comes first reads from the disk, and the others from memory.
await byRsync();
if (!fresh) await byMirror();
const measured: { mirror: number; rsync: number }[] = [];
for (let round = 0; round < rounds; round++) {
  const result = { mirror: 0, rsync: 0 };
  // Whoever comes second finds the repositories in memory: they take turns at it.
  const order = round % 2 === 0 ? (["mirror", "rsync"] as const) : (["rsync", "mirror"] as const);
  for (const which of order) {
    if (fresh) await empty();
    result[which] = await clock(async () => {
      await (which === "mirror" ? byMirror() : byRsync());
      // A mirror's record is on the disk when it ends, and on one disk that takes the copy along:
      // both have to be.
      if (fresh) await run("sync");
    });
  }
  measured.push(result);
}
// Not that of getrusage, which a process has from the one that started it.
const peak = highWater(process.pid);
process.stdout.write(JSON.stringify({ measured, peak }));
