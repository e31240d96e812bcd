// What a restore would change, and whether it may.

import { EXIT, Fault } from "../../host/fault.js";
import { count, printable } from "../../registry/text.ts";
import { planRestore } from "../../rsync/restore.ts";
import type { RestorePlan } from "../../rsync/restore-types.ts";
import { ask, canAsk, consent } from "../output/ask.ts";
import { note, warn } from "../output/say.ts";
import { bytes } from "../output/units.ts";
import type { Copies } from "./copies.ts";
import { absolute, type RestoreFlags, type Task } from "./restore-options.ts";
import { faultOf } from "./trouble.ts";

/** A task and what it would change, or why it cannot be done. */
export type Planned = Task & ({ plan: RestorePlan } | { fault: Fault });

/** Works out and shows what would change. What cannot be restored is told, and fails alone. */
export async function planAll(
  tasks: readonly Task[],
  options: RestoreFlags,
  copies: Copies,
): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const task of tasks) {
    const { spec, to, snapshot } = task;
    const plan = await planRestore(spec, {
      to,
      snapshot,
      path: options.path,
      ...(options.snapshots && { snapshotsIn: absolute(options.snapshots, copies) }),
    });
    if (plan.ok) {
      planned.push({ ...task, plan });
      for (const warning of plan.warnings) warn(`${spec.name}: ${printable(warning)}`);
      if (!options.json || !options.dryRun) note(describePlan(spec.name, plan, options));
      continue;
    }
    const fault = faultOf(plan, spec.name);
    if (tasks.length === 1) throw fault;
    warn(fault.message);
    process.exitCode = fault.exitCode;
    planned.push({ ...task, fault });
  }
  if (options.dryRun && options.json) {
    const plans = planned.map((each) => {
      if ("fault" in each) return { name: each.spec.name, reason: each.fault.what };
      const { ok, ...plan } = each.plan;
      return { name: each.spec.name, ...plan };
    });
    process.stdout.write(`${JSON.stringify(plans, null, 2)}\n`);
  }
  return planned;
}

const SHOWN = 10;

function describePlan(name: string, plan: RestorePlan, { delete: deletes }: RestoreFlags): string {
  const { from, to, changes, changing, files, bytes: size, extra, extras, target: state } = plan;
  const some = (names: readonly string[], all: number) => {
    const shown = names.slice(0, SHOWN).map((each) => `    ${printable(each)}`);
    if (all > shown.length) shown.push(`    … and ${all - shown.length} more`);
    return shown;
  };
  const lines = [
    `${name}: ${printable(from)} → ${printable(to)}`,
    `  ${count(files, "file")} to copy, ${bytes(size)}; ${changes} to make or change`,
  ];
  if (state === "filled") lines.push(...some(changing, changes));
  if (state === "unfinished") lines.push("  It goes on with a restore that broke off.");
  if (extra > 0) {
    lines.push(`  ${extra} that the copy does not have ${deletes ? "would be deleted" : "stay"}:`);
    lines.push(...some(extras, extra));
  }
  return lines.join("\n");
}

function changes(plan: RestorePlan, { delete: deletes }: RestoreFlags): boolean {
  return plan.changes > 0 || (plan.extra > 0 && deletes === true);
}

/**
 * Whether to go over what is there.
 *
 * @returns undefined where it is not wanted
 * @throws {Fault} conflict, where it was not told and nobody can be asked
 */
export async function mayOverwrite(
  planned: readonly Planned[],
  options: RestoreFlags,
): Promise<{ force: boolean; delete: boolean } | undefined> {
  const filled = planned.flatMap((each) =>
    "plan" in each && each.plan.target === "filled" && changes(each.plan, options)
      ? [each.plan]
      : [],
  );
  const told = { force: options.force ?? false, delete: options.delete ?? false };
  if (filled.length === 0) return told;
  const where = filled.map(({ to }) => printable(to)).join(", ");
  if (!told.force) {
    if (options.yes || options.json || !canAsk()) {
      throw new Fault(`${where}: not empty`, {
        remedy: "Restore to an empty folder (--to), or over what is there: --force --yes",
        exitCode: EXIT.conflict,
      });
    }
    const answer = await ask<"no" | "over" | "delete">(({ select }, io) =>
      select({
        message: `${where}: not empty.`,
        options: [
          { value: "no" as const, label: "Leave it alone" },
          { value: "over" as const, label: "Go over it; what the copy does not have stays" },
          { value: "delete" as const, label: "Make it what the copy is; the rest is deleted" },
        ],
        ...io,
      }),
    );
    if (answer === "no") return undefined;
    return { force: true, delete: answer === "delete" };
  }
  const would = `overwrites files in ${where}`;
  return (await consent("Overwrite them?", { yes: options.yes, would })) ? told : undefined;
}
