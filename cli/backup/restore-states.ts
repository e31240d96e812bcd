// Which repository, and as it was when.

import { EXIT, Fault } from "../../host/fault.js";
import { printable } from "../../registry/text.ts";
import { findCopy } from "../../rsync/find-copy.ts";
import { type BackupSpec, readRecord } from "../../rsync/index.ts";
import { chooseSnapshot, type Snapshot } from "../../rsync/snapshots.ts";
import { ask, canAsk } from "../output/ask.ts";
import { note, warn } from "../output/say.ts";
import { renderTable } from "../output/table.ts";
import { ago } from "../output/units.ts";
import type { Copies } from "./copies.ts";
import { absolute, type RestoreFlags } from "./restore-options.ts";
import { exitCodeFor, exitCodeOfAll, faultOf } from "./trouble.ts";

export async function askWhich(specs: readonly BackupSpec[]): Promise<BackupSpec> {
  const records = await Promise.all(
    specs.map(({ recordsDir, name }) => readRecord(recordsDir, name)),
  );
  if (specs.length === 0) {
    throw new Fault("the registry asks for no backup, so there is nothing to restore", {
      remedy: "Set backup_root in [defaults]: where the copies are.",
      exitCode: EXIT.usage,
    });
  }
  return ask<BackupSpec>(({ select }, io) =>
    select<BackupSpec>({
      message: "Which repository?",
      options: specs.map((spec, index) => {
        const at = records[index]?.lastGood?.at;
        return {
          value: spec,
          label: spec.name,
          hint: at ? `mirrored ${ago(Date.now() - Date.parse(at))}` : "never mirrored from here",
        };
      }),
      ...io,
    }),
  );
}

/** The older state that is meant; asked for where somebody can answer. */
export async function snapshotFor(
  spec: BackupSpec,
  { at, snapshots: folder, all, yes, dryRun, json }: RestoreFlags,
  copies: Copies,
): Promise<Snapshot | undefined> {
  const guided = at === undefined && !all && !yes && !dryRun && !json && canAsk();
  if (at === undefined && !guided) return undefined;
  const found = await findCopy(spec, folder && absolute(folder, copies));
  if (!found.ok) throw faultOf(found, spec.name);
  if (at !== undefined) {
    const snapshot = chooseSnapshot(at, found.snapshots);
    if (snapshot) return snapshot;
    const names = found.snapshots.slice(0, 5).map((each) => printable(each.name));
    throw new Fault(`${spec.name}: there is no snapshot ${printable(at)}, and none as old`, {
      remedy:
        names.length > 0
          ? `There are ${found.snapshots.length}, such as ${names.join(", ")}: repoman restore ${spec.name} --list`
          : "There are none at the usual places; name a folder of dated copies with --snapshots.",
      exitCode: EXIT.usage,
    });
  }
  if (found.snapshots.length === 0) return undefined;
  return ask<Snapshot | undefined>(({ select }, io) =>
    select<Snapshot | undefined>({
      message: `${spec.name}: as it was when?`,
      options: [
        ...(found.copy === undefined ? [] : [{ value: undefined, label: "as last mirrored" }]),
        ...found.snapshots.map((snapshot) => ({
          value: snapshot,
          label: moment(snapshot.at),
          hint: printable(snapshot.name),
        })),
      ],
      maxItems: 12,
      ...io,
    }),
  );
}

function moment(at: number): string {
  return `${new Date(at).toLocaleString("sv")}, ${ago(Date.now() - at)}`;
}

/** `--list` */
export async function list(
  specs: readonly BackupSpec[],
  options: RestoreFlags,
  copies: Copies,
): Promise<void> {
  const folder = options.snapshots && absolute(options.snapshots, copies);
  const all: { name: string; snapshot: string; at: string }[] = [];
  const codes: number[] = [];
  for (const spec of specs) {
    const found = await findCopy(spec, folder);
    if (!found.ok) {
      warn(`${spec.name}: ${printable(found.reason)}`);
      codes.push(exitCodeFor(found.result));
      continue;
    }
    for (const { name, at } of found.snapshots) {
      all.push({ name: spec.name, snapshot: name, at: new Date(at).toISOString() });
    }
  }
  process.exitCode = exitCodeOfAll(codes);
  if (options.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else if (all.length === 0) note("There are no older states at the usual places (--snapshots).");
  else {
    const rows = all.map(({ name, snapshot, at }) => [
      name,
      moment(Date.parse(at)),
      printable(snapshot),
    ]);
    const columns = [{ head: "NAME" }, { head: "AS OF" }, { head: "SNAPSHOT", least: 12 }];
    process.stdout.write(`${renderTable(columns, rows, process.stdout.columns)}\n`);
  }
}
