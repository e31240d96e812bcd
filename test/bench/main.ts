// Started by tools/bench.js in a machine of its own, with the options as JSON.

import { availableParallelism, loadavg } from "node:os";
import { renderTable } from "../../cli/output/table.ts";
import { EXIT } from "../../host/fault.js";
import { FEWEST_ROUNDS, measureCopies } from "./copies.ts";
import { type Comparison, type Measured, median, ratio, say } from "./measure.ts";
import { measureWhole } from "./whole.ts";

interface Options {
  containers: number;
  rounds: number;
  /** Only this part. */
  only?: "estate" | "copies";
  json: boolean;
}

/** What mirror runs may take of this process's memory, whatever they copy; in bytes. */
const MOST_MEMORY = 150e6;

const options: Options = JSON.parse(process.argv[2] ?? "{}");
const { containers, rounds, only, json } = options;

const parts: Measured[] = [];
if (only !== "copies") parts.push(await measureWhole(containers, rounds));
if (only !== "estate")
  parts.push(...[await measureCopies(rounds)].filter((part) => part !== undefined));
const comparisons = parts.flatMap((part) => part.comparisons);
const memory = new Map(parts.flatMap((part) => [...part.memory]));
process.stdout.write(json ? asJson() : `${report()}\n`);
const mirrors = memory.get("mirror runs") ?? 0;
if (mirrors > MOST_MEMORY) say(`mirror runs take more than ${MOST_MEMORY / 1e6} MB of memory`);
// The daemon ends with the machine.
process.exit(mirrors > MOST_MEMORY ? EXIT.failed : EXIT.ok);

function asJson(): string {
  const whole = {
    ...options,
    cpus: availableParallelism(),
    comparisons: comparisons.map((each) => ({ ...each, ratio: ratio(each) })),
    memory: Object.fromEntries(memory),
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}

function report(): string {
  const heads = ["", "seconds", "against", "seconds", "ratio"];
  const first = (each: Comparison, index: number) => each.what !== comparisons[index - 1]?.what;
  const rows = comparisons.map((each, index) => [
    ...(first(each, index) ? [each.what, seconds(each.repoman)] : ["", ""]),
    each.against,
    seconds(each.other),
    ratio(each).toFixed(2),
  ]);
  const taken = [...memory].map(([role, bytes]) => [role, `${Math.round(bytes / 1e6)} MB`]);
  const columns = (names: string[]) => names.map((head) => ({ head }));
  return [
    `${only === "copies" ? "" : `${containers} containers; `}` +
      `medians of ${rounds} rounds, of copies of a real size ${Math.max(rounds, FEWEST_ROUNDS)}; ` +
      `${availableParallelism()} CPUs, load ${loadavg()[0]?.toFixed(1)}`,
    renderTable(columns(heads), rows, undefined),
    renderTable(columns(["process", "peak memory"]), taken, undefined),
  ].join("\n\n");
}

function seconds(values: readonly number[]): string {
  const value = median(values) / 1000;
  return value.toFixed(value < 1 ? 3 : 2);
}
