// `repoman restore`: the order of things. The work is rsync/restore.ts's.

import { join, relative } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { inOwnWords } from "../../host/own-words.js";
import { count, printable } from "../../registry/text.ts";
import type { BackupSpec } from "../../rsync/index.ts";
import { restore } from "../../rsync/restore.ts";
import type { Restored } from "../../rsync/restore-types.ts";
import { canAsk, declined } from "../output/ask.ts";
import { Bars } from "../output/bars.ts";
import { colorsFor } from "../output/say.ts";
import { bytes } from "../output/units.ts";
import { type Copies, readCopies } from "./copies.ts";
import { absolute, type RestoreFlags, type Task } from "./restore-options.ts";
import { mayOverwrite, type Planned, planAll } from "./restore-plan.ts";
import { askWhich, list, snapshotFor } from "./restore-states.ts";
import { exitCodeFor, exitCodeOfAll, faultOf, stopSignal } from "./trouble.ts";

/** How many lines of rsync's are shown. */
const SHOWN = 10;

/** `repoman restore` */
export async function restoreOne(name: string | undefined, options: RestoreFlags): Promise<void> {
  const began = performance.now();
  refuseNonsense(name, options);
  const copies = await readCopies(name === undefined ? [] : [name], {
    stack: options.stack,
    disabled: true,
  });
  const specs = copies.specs.map((spec) => elsewhere(spec, options, copies));
  const asked = name === undefined && !options.all;
  const chosen = asked ? [await askWhich(specs)] : specs;
  if (options.list) return list(chosen, options, copies);
  const tasks: Task[] = [];
  for (const spec of chosen) {
    const to = target(spec, options, copies);
    tasks.push({ spec, to, snapshot: await snapshotFor(spec, options, copies) });
  }
  const plans = await planAll(tasks, options, copies);
  if (options.dryRun) return;
  const overwrite = await mayOverwrite(plans, options);
  if (overwrite === undefined) {
    declined();
    return;
  }
  const codes = await restoreAll(plans, { ...options, ...overwrite }, copies);
  process.exitCode = exitCodeOfAll(codes);
  const { journal, resultOf } = await import("../journal.ts");
  const exitCode = Number(process.exitCode);
  await journal(copies.setting, {
    command: "restore",
    names: tasks.map(({ spec }) => spec.name),
    result: resultOf(exitCode),
    exitCode,
    began,
    details: { to: tasks.map(({ to }) => to) },
  });
}

/** @throws {Fault} usage */
function refuseNonsense(name: string | undefined, options: RestoreFlags): void {
  const wrong = (what: string, remedy: string) => new Fault(what, { remedy, exitCode: EXIT.usage });
  if (options.all && name !== undefined) {
    throw wrong("A name and --all exclude each other", "Leave one of them out.");
  }
  if (options.all && options.to === undefined && !options.list) {
    throw wrong("--all needs to be told where to", "Add --to <dir>.");
  }
  if (options.all && options.path !== undefined) {
    throw wrong("--path is a path in one repository", "Name the project instead of --all.");
  }
  if (options.delete && !options.force) {
    throw wrong("--delete deletes what is there already, which needs --force", "Add --force.");
  }
  if (name === undefined && !options.all && !canAsk()) {
    throw wrong("Which repository?", "Name the project, or --all; there is no terminal to ask at.");
  }
}

/** The same copy on a disk that is mounted somewhere else. */
function elsewhere(spec: BackupSpec, { from }: RestoreFlags, copies: Copies): BackupSpec {
  if (from === undefined) return spec;
  const backupRoot = absolute(from, copies);
  const { expectedFstype, expectedSource, ...rest } = spec;
  return {
    ...rest,
    backupRoot,
    destination: join(backupRoot, relative(spec.backupRoot, spec.destination)),
  };
}

function target(spec: BackupSpec, { to, all }: RestoreFlags, copies: Copies): string {
  if (to === undefined) return spec.source;
  const folder = absolute(to, copies);
  return all ? join(folder, relative(copies.registry.defaults.reposRoot, spec.source)) : folder;
}

async function restoreAll(
  planned: readonly Planned[],
  options: RestoreFlags & { force: boolean; delete: boolean },
  copies: Copies,
): Promise<number[]> {
  const signal = stopSignal();
  const bars = new Bars(planned.length);
  const codes: number[] = [];
  const results: object[] = [];
  try {
    for (const each of planned) {
      const { spec, to, snapshot } = each;
      if ("fault" in each) {
        codes.push(each.fault.exitCode);
        results.push({ name: spec.name, to, result: "failed", reason: each.fault.what });
        continue;
      }
      if (signal.aborted) {
        codes.push(EXIT.failed);
        continue;
      }
      bars.set(spec.name, { phase: "comparing" });
      const done = await restore(spec, {
        to,
        snapshot,
        path: options.path,
        overwrite: options.force,
        deleteExtra: options.delete,
        signal,
        ...(options.snapshots && { snapshotsIn: absolute(options.snapshots, copies) }),
        onProgress: ({ phase, ...point }) =>
          bars.set(spec.name, phase === "copying" ? { phase, ...point } : { phase }),
      });
      if (!done.ok) {
        if (planned.length === 1) throw faultOf(done, spec.name);
        bars.print(`${spec.name}: ${done.result}: ${printable(done.reason)}`);
        codes.push(exitCodeFor(done.result));
        results.push({ name: spec.name, to, result: done.result, reason: done.reason });
        continue;
      }
      bars.done(spec.name, done.bytes);
      codes.push(exitCodeFor(done.result));
      const { ok, ...facts } = done;
      results.push({ name: spec.name, ...facts });
      if (!options.json) bars.print(describe(spec.name, done));
    }
  } finally {
    bars.end();
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  return codes;
}

function describe(name: string, done: Restored): string {
  const { result, reason, remedy, files, bytes: size, to, deleted, different, failures } = done;
  const { green, red } = colorsFor(process.stdout);
  const good = result.startsWith("ok");
  const facts = `${count(files, "file")}, ${bytes(size)}${deleted > 0 ? `, ${deleted} deleted` : ""}`;
  const lines = [
    `${name}: ${good ? green("restored") : red(result)} to ${printable(to)} (${facts})` +
      (good ? ", and verified" : ""),
  ];
  if (reason !== undefined) lines.push(`  ${printable(reason)}`);
  for (const line of failures.slice(0, SHOWN)) lines.push(`  ${printable(line)}`);
  for (const line of different) lines.push(`  ${red("different")}: ${printable(line)}`);
  if (!good && remedy !== undefined) lines.push(`  ${printable(inOwnWords(remedy))}`);
  return lines.join("\n");
}
