// Several mirror runs at once, with what a terminal shows of them.

import { spawn } from "node:child_process";
import { EXIT, Fault } from "../../host/fault.js";
import { inOwnWords } from "../../host/own-words.js";
import { printable } from "../../registry/text.ts";
import {
  type BackupSpec,
  mirror,
  type Progress,
  pending,
  type RunRecord,
} from "../../rsync/index.ts";
import { turnsAt } from "../../rsync/turns.ts";
import { Bars } from "../output/bars.ts";
import { colorsFor } from "../output/say.ts";
import { bytes, took } from "../output/units.ts";

export interface SyncOptions {
  dryRun?: boolean | undefined;
  delete: boolean;
  /** By project, how many deletions somebody has agreed with; those without go by the limits. */
  agreed?: ReadonlyMap<string, number> | undefined;
  /** For a dry run: says what there is to do beyond the limits too. */
  allowDeletes?: boolean | undefined;
  checksum?: boolean | undefined;
}

/** What became of one repository, as `--json` prints it. */
export interface Line {
  name: string;
  /** Of the run; `pending` for a dry run, `busy` where another run is at work. */
  result: string;
  reason?: string;
  remedy?: string;
  files?: number;
  bytes?: number;
  deletions?: number;
  /** The first names that would be deleted; for a dry run. */
  deleting?: string[];
  seconds?: number;
  warnings?: string[];
  failures?: string[];
}

const GOOD = new Set(["ok", "ok-vanished", "pending"]);

/** The exit code of several runs: what is wrong with all of them, else 1. */
export function exitCodeOf(lines: readonly Line[]): number {
  const bad = lines.filter(({ result }) => !GOOD.has(result)).map(({ result }) => result);
  if (bad.length === 0) return EXIT.ok;
  if (bad.every((result) => result === "unreachable")) return EXIT.environment;
  return bad.every((result) => result === "busy") ? EXIT.conflict : EXIT.failed;
}

/**
 * Mirrors, or says what a mirror run would do, several at once.
 *
 * @param around.print which repositories get a line when they are through
 */
export async function syncAll(
  specs: readonly BackupSpec[],
  options: SyncOptions,
  { signal, print }: { signal: AbortSignal; print: "all" | "trouble" | "none" },
): Promise<Line[]> {
  const bars = new Bars(specs.length);
  const lines: Line[] = [];
  const sync = async (spec: BackupSpec) => {
    if (signal.aborted) return;
    const line = await one(spec, options, bars, signal);
    bars.done(spec.name, line.bytes);
    lines.push(line);
    const good = GOOD.has(line.result) && !line.warnings?.length;
    if (print === "all" || (print === "trouble" && !good)) bars.print(describe(line));
  };
  try {
    await Promise.all(specs.map((spec) => turnsAt(spec.backupRoot).take(() => sync(spec))));
  } finally {
    bars.end();
  }
  return lines;
}

async function one(
  spec: BackupSpec,
  options: SyncOptions,
  bars: Bars,
  signal: AbortSignal,
): Promise<Line> {
  const { name } = spec;
  bars.set(name, { phase: "checking" });
  try {
    if (options.dryRun) return await foreseen(spec, options, signal);
    return await mirrored(spec, options, bars, signal);
  } catch (error) {
    // A disk or a record that cannot be written fails alone.
    if (!(error instanceof Fault)) throw error;
    const result = error.exitCode === EXIT.conflict ? "busy" : "failed";
    return { name, result, reason: error.what, ...(error.remedy && { remedy: error.remedy }) };
  }
}

async function mirrored(
  spec: BackupSpec,
  { delete: deletes, agreed, checksum }: SyncOptions,
  bars: Bars,
  signal: AbortSignal,
): Promise<Line> {
  const { name } = spec;
  const ended = new AbortController();
  let asked = false;
  let estimate: number | undefined;
  const show = ({ phase, bytes: copied, totalBytes, rate }: Progress) => {
    if (phase !== "copying") return bars.set(name, { phase });
    if (totalBytes === undefined && !asked) {
      asked = true;
      // A first copy is not compared beforehand.
      void sizeOf(spec.source, ended.signal).then((size) => {
        estimate = size;
      });
    }
    const whole = totalBytes ?? estimate;
    bars.set(name, {
      phase,
      bytes: copied,
      totalBytes: whole === undefined ? undefined : Math.max(whole, copied),
      about: totalBytes === undefined,
      rate,
    });
  };
  try {
    const record = await mirror(spec, {
      signal,
      noDelete: !deletes,
      allowDeletes: agreed?.get(name),
      checksum,
      onProgress: bars.shown ? show : undefined,
    });
    return lineOf(record);
  } finally {
    ended.abort();
  }
}

/** About how much there is to copy, for the eye only. */
function sizeOf(folder: string, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = spawn("nice", ["du", "-sb", "--", folder], {
      stdio: ["ignore", "pipe", "ignore"],
      signal,
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    child.on("error", () => resolve(undefined));
    child.on("close", () => resolve(Number(/^(\d+)/.exec(text)?.[1] ?? Number.NaN) || undefined));
  });
}

function lineOf(record: RunRecord): Line {
  const { name, result, reason, remedy, counts, seconds, warnings, failures } = record;
  return {
    name,
    result,
    ...(reason === undefined ? {} : { reason }),
    ...(remedy === undefined ? {} : { remedy }),
    files: counts.copied,
    bytes: counts.copiedBytes,
    deletions: counts.deleted,
    seconds,
    ...(warnings.length > 0 && { warnings }),
    ...(failures.length > 0 && { failures }),
  };
}

async function foreseen(
  spec: BackupSpec,
  { delete: deletes, allowDeletes, checksum }: SyncOptions,
  signal: AbortSignal,
): Promise<Line> {
  const { name } = spec;
  const found = await pending(spec, { noDelete: !deletes, allowDeletes, checksum, signal });
  if (!found.ok) return { name, result: found.result, reason: found.reason, remedy: found.remedy };
  const { files, bytes: size, deletions, deleting, refused, warnings } = found;
  return {
    name,
    result: refused ? "refused" : "pending",
    files,
    bytes: size,
    deletions,
    ...(deleting.length > 0 && { deleting }),
    ...refused,
    ...(warnings.length > 0 && { warnings }),
  };
}

/** A line for people, with what there is to say below it. */
export function describe(line: Line): string {
  const { name, result, reason, remedy, seconds, warnings = [], failures = [] } = line;
  const { files = 0, bytes: size = 0, deletions = 0 } = line;
  const { green, yellow, red, dim } = colorsFor(process.stdout);
  const colour = result === "pending" ? dim : result.startsWith("ok") ? green : red;
  const counted = line.files !== undefined && !["refused", "unreachable"].includes(result);
  const nothing = files === 0 && deletions === 0;
  const facts = !counted
    ? ""
    : nothing && GOOD.has(result)
      ? " (nothing to do)"
      : ` (${files} ${files === 1 ? "file" : "files"}, ${bytes(size)}, ${deletions} ${result === "pending" ? "to delete" : "deleted"}${seconds === undefined ? "" : `, ${took(seconds)}`})`;
  const more = failures.filter((failure) => !reason?.includes(failure)).slice(0, 5);
  return [
    `${name}: ${colour(result)}${facts}${reason === undefined ? "" : `: ${printable(reason)}`}`,
    ...more.map((failure) => `  ${printable(failure)}`),
    ...(remedy === undefined ? [] : [`  ${printable(inOwnWords(remedy))}`]),
    ...warnings.map((warning) => `  ${yellow("warning:")} ${printable(warning)}`),
  ].join("\n");
}
