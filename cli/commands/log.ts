import type { Command } from "commander";
import { EXIT, Fault } from "../../host/fault.js";
import { lookAt, silenceFault } from "../../host/look.ts";
import { seconds } from "../../registry/duration.ts";
import { printable } from "../../registry/text.ts";
import { addExamples, linesFrom, linesOption } from "../definition.ts";
import { type JournalLine, journalFolder } from "../journal.ts";
import { colorsFor, note } from "../output/say.ts";
import { findSetting } from "../setting.ts";

interface Options {
  follow?: boolean;
  lines?: string;
  since?: string;
  json?: boolean;
  stack?: string;
}

/** So many lines unless it was said how many, or since when. */
const MOST = 50;

export function define(command: Command): void {
  command
    .description(
      "What repoman did on this host and when: one line for each command that changed something, " +
        "of all stacks that keep their journal in the same folder (logdir in [defaults]).",
    )
    .option("-f, --follow", "go on with what comes, until Ctrl-C")
    .addOption(linesOption(`only the last so many (default: ${MOST}, or all with --since)`))
    .option("--since <when>", "a date, or an age such as 2h or 7d")
    .option("-s, --stack <name>", "only what this stack did, from its own journal")
    .option("--json", "as JSON: a list, or with --follow one object a line")
    .action(log);
  addExamples(command, [
    ["repoman log", `the last ${MOST} things that repoman did`],
    ["repoman log --since 2d --json", "all of the last two days, for a program"],
    ["repoman log --follow", "watch timers at work"],
  ]);
}

async function log(options: Options): Promise<void> {
  const wanted = selection(options);
  const folder = await journalFolder(findSetting({ stack: options.stack }));
  const seen = await lookAt(folder);
  if ("silent" in seen) throw silenceFault(`the journal in ${printable(folder)}`, seen);
  const reader = await import("../estate/journal-reader.ts");
  if (!options.follow) {
    const lines = wanted(await reader.readJournal(folder));
    if (options.json) process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`);
    else if (lines.length === 0) note(`Nothing is in the journal in ${printable(folder)}.`);
    else process.stdout.write(text(lines));
    return;
  }
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => stopped.abort());
  }
  // `repoman log --follow | head -1`
  process.stdout.on("error", () => stopped.abort());
  const { mkdir } = await import("node:fs/promises");
  await mkdir(folder, { recursive: true });
  let first = true;
  await reader.followJournal(
    folder,
    (lines) => {
      const shown = first ? wanted(lines) : lines.filter(ofStack(options.stack));
      first = false;
      const json = shown.map((line) => `${JSON.stringify(line)}\n`).join("");
      process.stdout.write(options.json ? json : text(shown));
    },
    stopped.signal,
  );
}

/** Which lines were asked for. */
function selection({
  lines,
  since,
  stack,
}: Options): (all: readonly JournalLine[]) => JournalLine[] {
  const most = lines === undefined ? undefined : linesFrom(lines);
  const from = since === undefined ? undefined : moment(since);
  const count = most ?? (from === undefined ? MOST : undefined);
  return (all) => {
    const found = all
      .filter(ofStack(stack))
      .filter(({ time }) => from === undefined || Date.parse(time) >= from);
    return count === undefined ? found : found.slice(Math.max(found.length - count, 0));
  };
}

function ofStack(stack: string | undefined): (line: JournalLine) => boolean {
  return (line) => stack === undefined || line.stack === stack;
}

/** @returns milliseconds since 1970 */
function moment(since: string): number {
  const age = seconds(since);
  if (age !== undefined) return Date.now() - age * 1000;
  // A date alone means its midnight here, not in Greenwich.
  const local = /^\d{4}-\d{2}-\d{2}$/.test(since) ? `${since}T00:00` : since;
  const time = /^\d{4}-\d{2}-\d{2}/.test(local) ? Date.parse(local) : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw new Fault(`--since ${JSON.stringify(since)} is neither a date nor an age`, {
    remedy: "Such as --since 2026-11-21, --since 2026-11-21T08:30, --since 2h or --since 7d.",
    exitCode: EXIT.usage,
  });
}

const GOOD = new Set(["ok", "ok-vanished"]);

function text(lines: readonly JournalLine[]): string {
  const { bold, dim, green, red } = colorsFor(process.stdout);
  const own = new Set(lines.map(({ stack }) => stack)).size > 1;
  return lines
    .map(({ time, stack, command, names, result, seconds: took, details }) => {
      const colour = GOOD.has(result) ? green : red;
      const facts = Object.entries(details ?? {}).map(([key, value]) => `${key}=${shown(value)}`);
      return [
        dim(localTime(time)),
        own ? `[${printable(stack)}]` : "",
        bold(printable(command)),
        printable(names.join(", ")),
        colour(printable(result)),
        printable(facts.join(" ")),
        took === undefined ? "" : dim(`${took} s`),
      ]
        .filter((part) => part !== "")
        .join("  ");
    })
    .map((line) => `${line}\n`)
    .join("");
}

function shown(value: string | number | boolean | readonly string[]): string {
  return typeof value === "object" ? value.join(",") : String(value);
}

/** `2026-11-21 13:04:05`, as clocks here show it. */
function localTime(time: string): string {
  const date = new Date(time);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}
