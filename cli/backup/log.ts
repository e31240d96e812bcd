import { inOwnWords } from "../../host/own-words.js";
import { printable } from "../../registry/text.ts";
import {
  type BackupSpec,
  freshness,
  type RunRecord,
  readHistory,
  readRecord,
  readVerified,
  type Verified,
} from "../../rsync/index.ts";
import { linesFrom } from "../definition.ts";
import { spark } from "../output/chart.ts";
import { colorsFor } from "../output/say.ts";
import { type Column, renderTable } from "../output/table.ts";
import { ago, bytes, took } from "../output/units.ts";
import { readCopies } from "./copies.ts";

interface Options {
  lines: string;
  stack?: string;
  json?: boolean;
}

/** What is known of one copy. */
export interface CopyLog {
  name: string;
  fresh: boolean;
  /** Why it is not. */
  reason?: string;
  last?: RunRecord;
  verified?: Verified;
  /** Oldest first. */
  runs: RunRecord[];
}

/** `repoman backup log` */
export async function log(name: string | undefined, options: Options): Promise<void> {
  const lines = linesFrom(options.lines);
  const { specs } = await readCopies(name === undefined ? [] : [name], { stack: options.stack });
  const logs = await Promise.all(specs.map(readLog));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(logs.map(asJson), null, 2)}\n`);
    return;
  }
  if (logs.length === 0) return;
  const [first] = logs;
  const text =
    name === undefined || !first
      ? overview(logs, process.stdout.columns)
      : history(first, lines, process.stdout.columns);
  process.stdout.write(`${text}\n`);
}

async function readLog(spec: BackupSpec): Promise<CopyLog> {
  const { name, recordsDir } = spec;
  const [last, runs, verified] = await Promise.all([
    readRecord(recordsDir, name),
    readHistory(recordsDir, name),
    readVerified(recordsDir, name),
  ]);
  const { fresh, reason } = freshness(last, spec, Date.now());
  return {
    name,
    fresh,
    ...(reason === undefined ? {} : { reason }),
    ...(last && { last }),
    ...(verified && { verified }),
    runs,
  };
}

function asJson({ name, fresh, reason, last, verified, runs }: CopyLog) {
  return {
    name,
    fresh,
    reason: reason ?? null,
    lastGood: last?.lastGood?.at ?? null,
    result: last?.result ?? null,
    verified: verified ?? null,
    runs: runs.map(({ startedAt, seconds, result, reason: why, counts }) => ({
      startedAt,
      seconds,
      result,
      ...(why === undefined ? {} : { reason: why }),
      ...counts,
    })),
  };
}

const CHART = 16;

const OVERVIEW: readonly Column[] = [
  { head: "NAME" },
  { head: "LAST GOOD" },
  { head: "RESULT" },
  { head: "FILES" },
  { head: "SIZE" },
  { head: "OVER TIME", least: 6 },
  { head: "TOOK" },
  { head: "OVER TIME", least: 6 },
];

/** Every copy in a line, and then what is overdue. @param width of the terminal, if it is one */
export function overview(
  logs: readonly CopyLog[],
  width: number | undefined,
  now = Date.now(),
): string {
  const { green, red, yellow } = colorsFor(process.stdout);
  const rows = logs.map(({ name, fresh, last, runs }) => {
    const good = last?.lastGood;
    const done = runs.filter(isDone);
    const result = last?.result ?? "never";
    return [
      name,
      good ? (fresh ? green : yellow)(ago(now - Date.parse(good.at))) : red("never"),
      result.startsWith("ok") ? result : red(result),
      good ? String(good.files) : "-",
      good ? bytes(good.bytes) : "-",
      spark(latest(done.map(({ counts }) => counts.bytes)), CHART),
      last ? took(last.seconds) : "-",
      spark(latest(done.map(({ seconds }) => seconds)), CHART),
    ];
  });
  const stale = logs.filter(({ fresh }) => !fresh);
  const lines = [renderTable(OVERVIEW, rows, width)];
  if (stale.length > 0) {
    lines.push("", yellow(`Overdue: ${stale.length} of ${logs.length}`));
    for (const { name, reason = "" } of stale) lines.push(`  ${name}: ${printable(reason)}`);
  }
  return lines.join("\n");
}

const HISTORY: readonly Column[] = [
  { head: "WHEN" },
  { head: "RESULT" },
  { head: "TOOK" },
  { head: "FILES" },
  { head: "SIZE" },
  { head: "COPIED" },
  { head: "DELETED" },
  { head: "WHY", least: 10 },
];

/** The runs of one copy, the newest last, and how they grew. */
export function history(
  { name, fresh, reason, verified, runs }: CopyLog,
  most: number,
  width: number | undefined,
  now = Date.now(),
): string {
  const { red, yellow, green, dim } = colorsFor(process.stdout);
  const rows = runs
    .slice(-most)
    .map(({ startedAt, result, seconds, counts, reason: why = "" }) => [
      startedAt.slice(0, 19).replace("T", " "),
      result.startsWith("ok") ? result : red(result),
      took(seconds),
      isDone({ result }) ? String(counts.files) : "-",
      isDone({ result }) ? bytes(counts.bytes) : "-",
      `${counts.copied}, ${bytes(counts.copiedBytes)}`,
      String(counts.deleted),
      printable(why),
    ]);
  const lines = rows.length > 0 ? [renderTable(HISTORY, rows, width)] : [];
  const done = runs.filter(isDone);
  if (done.length > 1) {
    const room = Math.max(10, Math.min(80, (width ?? 80) - 30));
    const chart = (label: string, values: number[], shown: (value: number) => string) => {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      lines.push(`${label}  ${spark(values, room)}  ${dim(`${shown(low)} … ${shown(high)}`)}`);
    };
    lines.push("");
    chart(
      "size",
      done.map(({ counts }) => counts.bytes),
      bytes,
    );
    chart(
      "took",
      done.map(({ seconds }) => seconds),
      took,
    );
  }
  if (lines.length > 0) lines.push("");
  if (verified) {
    const share = Math.round((verified.bytes * 100) / Math.max(1, verified.ofBytes));
    const what =
      verified.different > 0 ? red(`${verified.different} different`) : "all as it should be";
    lines.push(
      `Verified ${ago(now - Date.parse(verified.at))}: ${what} (${share} % of the content read)`,
    );
  } else lines.push(dim(inOwnWords(`Never verified: repoman backup verify ${name}`)));
  lines.push(fresh ? green("Not overdue.") : yellow(`Overdue: ${printable(reason ?? "")}`));
  return lines.join("\n");
}

/** Whether its numbers are those of a whole repository. */
function isDone({ result }: Pick<RunRecord, "result">): boolean {
  return result === "ok" || result === "ok-vanished" || result === "partial";
}

function latest(values: readonly number[]): number[] {
  return values.slice(-CHART);
}
