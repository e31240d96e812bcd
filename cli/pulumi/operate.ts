// `preview`, `up`, `destroy` and `refresh`: what all four have around the Pulumi command itself.

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import type { Registry } from "../../registry/types.ts";
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
import { clearCutOff, lockStack, markRunning, unmarkRunning } from "./cut-off.ts";
import { exitCodeOf, type PulumiEnd, type ReportLine, readReport } from "./exit-code.ts";
import { capturePulumi, runPulumi } from "./run.ts";
import { ensureStack, forgetStack, stackExists } from "./stack.ts";
import { readStackConfig, type StackConfig, stackConfigFile } from "./stack-config.ts";
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
}

export interface Outcome {
  /** One of `EXIT`. */
  exitCode: number;
  setting: Setting;
}

/** @throws Fault for whatever is found wrong before Pulumi starts; then nothing was changed */
export async function operate(request: Request): Promise<Outcome> {
  requireConsent(request);
  const setting = findSetting({ stack: request.stack });
  dropIgnoredVariables(setting.env);
  if (!(await isThere(request, setting))) return { exitCode: EXIT.ok, setting };

  const recorded = await readStackConfig(stackConfigFile(setting.root, setting.stack));
  const named = namedFile(request.registry);
  const config = named === undefined ? recorded : { ...recorded, registry: named };
  const targets = await check(request, setting, config);
  const { stackId } = await ensureStack(setting, named);

  const args = [
    request.operation,
    "--stack",
    setting.stack,
    ...(request.yes && request.operation !== "preview" ? ["--yes"] : []),
    ...targetFlags(targets),
    ...request.flags,
  ];
  if (request.operation === "preview")
    return { exitCode: await reported(setting, args, request), setting };

  const lock = lockStack(setting, request.operation);
  try {
    await clearCutOff(setting, stackId);
    await markRunning(setting, request.operation);
    return { exitCode: await reported(setting, args, request), setting };
  } finally {
    lock.release();
  }
}

/** Without a terminal there is nobody to ask. */
function requireConsent({ operation, yes, flags }: Request): void {
  if (operation === "preview" || yes || hasFlag(flags, "--skip-preview", "-f", "--preview-only"))
    return;
  if (/^(1|true)$/i.test(process.env.PULUMI_SKIP_CONFIRMATIONS ?? "")) return;
  if (process.stdin.isTTY && process.stdout.isTTY && !hasFlag(flags, "--non-interactive")) return;
  throw new Fault(
    `"repoman ${operation}" would ask before it changes anything, and there is no terminal`,
    {
      remedy: `Add --yes, or look first: repoman ${operation === "up" ? "preview" : `${operation} --preview-only`}`,
      exitCode: EXIT.usage,
    },
  );
}

/**
 * Whether there is something to work on: `destroy` and `refresh` do not make a stack.
 *
 * @throws Fault (usage) for a stack that was named and does not exist
 */
async function isThere({ operation, stack }: Request, setting: Setting): Promise<boolean> {
  if (goesByRegistry(operation) || !setting.backend) return true;
  if (await stackExists(setting)) return true;
  const stacks = await setting.backend.stacks(setting.project);
  const known = stacks.length > 0 ? `There are: ${stacks.join(", ")}.` : "There is none yet.";
  if (stack !== undefined) {
    throw new Fault(`there is no stack "${stack}"`, { remedy: known, exitCode: EXIT.usage });
  }
  note(`There is no stack "${setting.stack}", so nothing to ${operation}. ${known}`);
  return false;
}

/**
 * What Pulumi would fail over, found out before it starts, and the targets that the names mean.
 * `destroy` and `refresh` go by the state and work with a registry that is broken or gone.
 */
async function check(request: Request, setting: Setting, config: StackConfig): Promise<string[]> {
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
  return targetsOf(request, setting, found, registryFile(setting, config));
}

function goesByRegistry(operation: Operation): boolean {
  return operation === "preview" || operation === "up";
}

async function targetsOf(
  { names, operation }: Request,
  { backend, project, stack }: Setting,
  registry: Registry | undefined,
  file: string,
): Promise<string[]> {
  if (names.length === 0) return [];
  const declares = goesByRegistry(operation);
  const declared = registry?.projects ?? [];
  const known = declared.map(({ name }) => name);
  if (!declares) {
    // A project that is no longer declared may still be in the state.
    const deployment = await backend?.deployment(project, stack);
    known.push(
      ...(deployment?.resources ?? [])
        .filter(({ type }) => type === "repoman:index:Workspace")
        .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2)),
    );
  }
  requireNames(names, [...new Set(known)], file);
  if (!declares) return ownTargets(names);
  return upTargets(
    names,
    declared.filter(({ name }) => names.includes(name)).flatMap(({ profiles }) => profiles),
  );
}

/** Runs Pulumi with a report for the program and its providers to write to. */
async function reported(setting: Setting, args: string[], request: Request): Promise<number> {
  const report = await freshReport(setting);
  try {
    const end = await runPulumi(
      { ...setting, env: { ...setting.env, REPOMAN_REPORT: report } },
      args,
    );
    // Stopped half-way, it may have left something: the mark stays for the next run to look.
    if (!end.interrupted && !end.signal) await unmarkRunning(setting);
    return await judge(setting, request, end, await readReport(report));
  } finally {
    await rm(report, { force: true });
  }
}

async function judge(
  setting: Setting,
  request: Request,
  end: PulumiEnd,
  report: readonly ReportLine[],
): Promise<number> {
  if (end.interrupted) note(`Stopped by ${end.interrupted}; run again to go on.`);
  else if (end.signal)
    note(`Pulumi was killed (${end.signal}); the next run takes up what was begun.`);
  const removed = end.code === 0 && hasFlag(request.flags, "--remove");
  if (removed || end.code === STACK_NOT_FOUND) await forgetStack(setting);
  const code = exitCodeOf(end, report);
  if (end.code !== 1 || report.length > 0 || request.flags.length === 0) return code;
  // Pulumi has no exit code of its own for a flag that it does not know. Asked for help, it still
  // looks at the flags first.
  const flags = await capturePulumi(setting, [request.operation, ...request.flags, "--help"]);
  return flags.code === 0 ? code : EXIT.usage;
}

/** A name for the report of this run; those of runs that were killed are swept away. */
async function freshReport({ stackDir }: Setting): Promise<string> {
  await mkdir(stackDir, { recursive: true });
  for (const name of await readdir(stackDir)) {
    const pid = /^report-(\d+)\.jsonl$/.exec(name)?.[1];
    if (pid && !lives(Number(pid))) await rm(join(stackDir, name), { force: true });
  }
  return join(stackDir, `report-${process.pid}.jsonl`);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
