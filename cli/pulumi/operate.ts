// `preview`, `up`, `destroy` and `refresh`: what all four have around the Pulumi command itself.

import { rm } from "node:fs/promises";
import { EXIT, Fault } from "../../host/fault.js";
import { reachBy } from "../../host/reach.js";
import type { Registry } from "../../registry/types.ts";
import { carriedOut, readRenames, renamesFile } from "../../survey/renames.ts";
import { journal, resultOf } from "../journal.ts";
import { note, reportError } from "../output/say.ts";
import {
  dropIgnoredVariables,
  readRegistry,
  registryFile,
  requireIncus,
  requireNames,
} from "../preflight.ts";
import { findSetting, namedFile, type Setting } from "../setting.ts";
import { hasFlag } from "./arguments.ts";
import { workspacesIn } from "./backend.ts";
import { clearCutOff, lockStack, markRunning, unmarkRunning } from "./cut-off.ts";
import { exitCodeOf, type PulumiEnd } from "./exit-code.ts";
import { knownStacks, noStack } from "./known-stack.ts";
import { freshReport, type ReportLine, readReport } from "./report.ts";
import { capturePulumi, runPulumi } from "./run.ts";
import { ensureStack, forgetStack, readDeployment, stackExists } from "./stack.ts";
import { readStackConfig, type StackConfig, stackConfigFile } from "./stack-config.ts";
import { withoutStanding } from "./standing.ts";
import { ownTargets, targetFlags, upTargets } from "./targets.ts";

const STACK_NOT_FOUND = 6;

export type Operation = "preview" | "up" | "destroy" | "refresh";

export interface Request {
  operation: Operation;
  /** Names of projects to which it is limited; all where there are none. */
  names: readonly string[];
  /** What goes to Pulumi as it is. */
  flags: readonly string[];
  stack?: string | undefined;
  registry?: string | undefined;
  yes?: boolean | undefined;
  /** The command that was typed, where it is not the operation itself. */
  typed?: string | undefined;
  /** Whether stdout is kept for a result of the command's own, and Pulumi's words go to stderr. */
  aside?: boolean | undefined;
}

export interface Outcome {
  /** One of `EXIT`. */
  exitCode: number;
  setting: Setting;
}

/** @throws Fault for whatever is found wrong before Pulumi starts; then nothing was changed */
export async function operate(request: Request): Promise<Outcome> {
  const began = performance.now();
  requireConsent(request);
  const setting = findSetting({ stack: request.stack });
  dropIgnoredVariables(setting.env);
  if (!(await isThere(request, setting))) return { exitCode: EXIT.ok, setting };

  const recorded = await readStackConfig(stackConfigFile(setting.root, setting.stack));
  reachBy({ remote: recorded.remote });
  const named = namedFile(request.registry);
  const config = named === undefined ? recorded : { ...recorded, registry: named };
  const { targets, declared } = await check(request, setting, config);
  const { stackId } = await ensureStack(setting, named);
  const flags = [...targetFlags(targets), ...request.flags];

  const args = [
    request.operation,
    "--stack",
    setting.stack,
    ...(request.yes && request.operation !== "preview" ? ["--yes"] : []),
    ...(goesByRegistry(request.operation) && flags.includes("--target")
      ? withoutStanding(flags, await readDeployment(setting), declared)
      : flags),
  ];
  if (request.operation === "preview") {
    return {
      exitCode: await judge(setting, request, await run(setting, args, request.aside)),
      setting,
    };
  }
  const lock = lockStack(setting, request.operation);
  try {
    await clearCutOff(setting, stackId);
    await markRunning(setting, request.operation);
    const ended = await run(setting, args, request.aside);
    // Stopped half-way, it may have left something: the mark stays for the next run to look.
    if (!ended.interrupted && !ended.signal) await unmarkRunning(setting);
    const exitCode = await judge(setting, request, ended);
    if (!hasFlag(request.flags, "--preview-only")) {
      const { operation: command, names } = request;
      const result = ended.interrupted || ended.signal ? "stopped" : resultOf(exitCode);
      await journal(setting, { command, names, result, exitCode, began });
    }
    return { exitCode, setting };
  } finally {
    lock.release();
  }
}

/** Without a terminal there is nobody to ask. */
function requireConsent({ operation, typed, names, yes, flags }: Request): void {
  if (operation === "preview" || yes || hasFlag(flags, "--preview-only")) return;
  if (/^(1|true)$/i.test(process.env.PULUMI_SKIP_CONFIRMATIONS ?? "")) return;
  if (process.stdin.isTTY && process.stdout.isTTY && !hasFlag(flags, "--non-interactive")) return;
  const asked = ["repoman", typed ?? operation, ...names].join(" ");
  const look = operation === "up" ? ["preview", ...names] : [operation, ...names, "--preview-only"];
  throw new Fault(`"${asked}" would ask before it changes anything, and there is no terminal`, {
    remedy: `Add --yes, or look first: repoman ${look.join(" ")}`,
    exitCode: EXIT.usage,
  });
}

/**
 * Whether there is something to work on: `destroy` and `refresh` do not make a stack.
 *
 * @throws Fault (usage) for a stack that was named and does not exist
 */
async function isThere({ operation, stack }: Request, setting: Setting): Promise<boolean> {
  if (goesByRegistry(operation) || !setting.backend) return true;
  if (await stackExists(setting)) return true;
  const known = await knownStacks(setting);
  if (stack !== undefined) throw noStack(stack, known);
  note(`There is no stack "${setting.stack}", so nothing to ${operation}. ${known}`);
  return false;
}

/**
 * What Pulumi would fail over, found out before it starts, and the targets that the names mean.
 * `destroy` and `refresh` go by the state and work with a registry that is broken or gone.
 */
async function check(
  request: Request,
  setting: Setting,
  config: StackConfig,
): Promise<{ targets: string[]; declared: string[] }> {
  const declares = goesByRegistry(request.operation);
  const [incus, registry] = await Promise.allSettled([
    requireIncus(config.remote, setting.env),
    declares || request.names.length > 0 ? readRegistry(setting, config) : undefined,
  ]);
  const registryFault = registry.status === "rejected" && declares ? registry : undefined;
  if (incus.status === "rejected") {
    if (registryFault) reportError(registryFault.reason);
    throw incus.reason;
  }
  if (registryFault) throw registryFault.reason;
  const found = registry.status === "fulfilled" ? registry.value : undefined;
  return {
    targets: await targetsOf(request, setting, found, registryFile(setting, config)),
    declared: (found?.projects ?? []).map(({ name }) => name),
  };
}

function goesByRegistry(operation: Operation): boolean {
  return operation === "preview" || operation === "up";
}

async function targetsOf(
  { names, operation }: Request,
  { backend, project, stack, env }: Setting,
  registry: Registry | undefined,
  file: string,
): Promise<string[]> {
  if (names.length === 0) return [];
  const declares = goesByRegistry(operation);
  const declared = registry?.projects ?? [];
  const known = declared.map(({ name }) => name);
  if (!declares) {
    // A project that is no longer declared may still be in the state.
    known.push(...workspacesIn(await backend?.deployment(project, stack)));
  }
  requireNames(names, [...new Set(known)], file);
  if (!declares) return ownTargets(names);
  const former = carriedOut(await readRenames(renamesFile(stack, env)), { projects: declared });
  return upTargets(
    // What was renamed is in the state under its former name.
    [...names, ...names.flatMap((name) => former.get(name) ?? [])],
    declared.filter(({ name }) => names.includes(name)).flatMap(({ profiles }) => profiles),
  );
}

type Ended = PulumiEnd & { report: ReportLine[] };

/** Runs Pulumi with a report for the program and its providers to write to. */
async function run(
  setting: Setting,
  args: readonly string[],
  aside: boolean | undefined,
): Promise<Ended> {
  const file = await freshReport(setting.stackDir);
  const env = { ...setting.env, REPOMAN_REPORT: file };
  try {
    const end = await runPulumi({ ...setting, env }, args, aside);
    return { ...end, report: await readReport(file) };
  } finally {
    await rm(file, { force: true });
  }
}

/** What its end means, and what is to be said of it. */
async function judge(
  setting: Setting,
  { operation, flags, names }: Request,
  { report, ...end }: Ended,
): Promise<number> {
  if (end.interrupted) note(`Stopped by ${end.interrupted}; run again to go on.`);
  else if (end.signal) {
    note(`Pulumi was killed (${end.signal}); the next run takes up what was begun.`);
  }
  if (end.code === STACK_NOT_FOUND) {
    await forgetStack(setting);
    note("It was removed meanwhile; run again to make it anew.");
  }
  if (end.code === 0 && hasFlag(flags, "--remove")) await forgetStack(setting);
  const judging = hasFlag(flags, "--expect-no-changes");
  const code = exitCodeOf(end, report, { judging, names });
  if (end.code !== 1 || report.length > 0 || flags.length === 0) return code;
  // Pulumi has no exit code of its own for a flag that it does not know. Asked for help, it still
  // looks at the flags first.
  const asked = await capturePulumi(setting, [operation, ...flags, "--help"]);
  return asked.code === 0 ? code : EXIT.usage;
}
