// Run as the user, in the user's copy of the project: compares copies that are up to date with
// their repositories, by repoman's mirror and by plain rsync. Prints the milliseconds of each round.
//
//     node mirrors.ts <rounds> <specs as JSON>

import { execa } from "execa";
import type { BackupSpec } from "../../rsync/index.ts";
import { mirror, runFault } from "../../rsync/index.ts";
import { inParallel } from "./estate.ts";
import { clock } from "./measure.ts";

const [, , rounds = "1", list = "[]"] = process.argv;
const specs: BackupSpec[] = JSON.parse(list);

const byMirror = () =>
  inParallel(specs, async (spec) => {
    const fault = runFault(await mirror(spec));
    if (fault) throw fault;
  });
const byRsync = () =>
  inParallel(specs, ({ source, destination }) =>
    execa("rsync", ["-aHAXS", "--numeric-ids", "--delete", `${source}/`, `${destination}/`]),
  );

const measured: { mirror: number; rsync: number }[] = [];
for (let round = 0; round < Number(rounds); round++) {
  measured.push({ mirror: await clock(byMirror), rsync: await clock(byRsync) });
}
process.stdout.write(JSON.stringify(measured));
