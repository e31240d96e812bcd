import { withTilde } from "../../host/paths.js";
import { printable } from "../../registry/text.ts";
import { colorsFor } from "../output/say.ts";
import { type Column, renderTable } from "../output/table.ts";
import { ago } from "../output/units.ts";
import type { Row } from "./rows.ts";
import { coloured } from "./summary.ts";

/** How a table is looked at. */
interface View {
  /** Milliseconds since the epoch. */
  now: number;
  /** Whether there is not room for all. */
  narrow: boolean;
  /** Where repositories lie: where there is little room, their paths begin there. */
  reposRoot: string;
}

interface ListColumn extends Column {
  cell(row: Row, view: View): string;
  /** Left out where it says nothing and the terminal is too narrow for all. */
  optional?: true;
}

const COLUMNS: readonly ListColumn[] = [
  { head: "NAME", least: 8, cell: ({ name, trust }) => printable(name) + (trust ? " !" : "") },
  { head: "STATE", cell: ({ state, enabled, drift }) => stateCell(state, enabled, drift) },
  { head: "ADDRESS", optional: true, cell: ({ address }) => text(address) },
  {
    head: "REPOSITORY",
    least: 10,
    cell: repositoryCell,
  },
  { head: "IMAGE", least: 5, cell: ({ image }) => text(image) },
  { head: "PROFILES", least: 8, cell: ({ profiles }) => text(profiles.join(", ")) },
  { head: "SYNCED", optional: true, cell: syncCell, least: 6 },
  { head: "HERMES", optional: true, cell: ({ hermes }) => (hermes ? "yes" : "-") },
  { head: "DRIFT", cell: driftCell },
];

/** Below this everything is shortened that can be. */
const WIDE_ENOUGH = 110;

/**
 * The table of `repoman list`.
 *
 * @param width of the terminal; undefined where there is none: then nothing is cut or left out
 * @param reposRoot absolute
 * @param now milliseconds since the epoch
 */
export function renderList(
  rows: readonly Row[],
  width: number | undefined,
  reposRoot: string,
  now = Date.now(),
): string {
  const narrow = width !== undefined && width < WIDE_ENOUGH;
  const shown = COLUMNS.map((column) => ({
    column,
    cells: rows.map((row) => column.cell(row, { now, narrow, reposRoot })),
  })).filter(
    ({ column, cells }) => !(narrow && column.optional && cells.every((cell) => cell === "-")),
  );
  return renderTable(
    shown.map(({ column: { head, least } }) => ({ head, ...(least !== undefined && { least }) })),
    rows.map((_, index) => shown.map(({ cells }) => cells[index] ?? "-")),
    width,
  );
}

/** What the table has no room for, a line or more for each row that needs it. */
export function explain(rows: readonly Row[]): string[] {
  return rows.flatMap(({ name, drift, reason, trust, differences }) => {
    // Some messages begin with the project's name themselves.
    const said = (what: string) =>
      `${printable(name)}: ${lines(what.replace(`project "${name}": `, ""))}`;
    return [
      ...(trust
        ? [`! ${lines(trust)}\n  Look at it, and agree or not: repoman trust ${name}`]
        : []),
      // One message tells of the server; and what drifted is for `preview --diff` to spell out.
      ...(reason && drift !== "unreachable" ? [said(reason)] : []),
      ...(drift === "drift" ? [said(properties(differences.map(({ property }) => property)))] : []),
    ];
  });
}

function properties(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(", ");
  const more = names.length > 4 ? ` and ${names.length - 4} more` : "";
  return `${shown}${more} ${names.length > 1 ? "differ" : "differs"} from what is declared`;
}

/** Each line of a message that may hold names from a repository or a server. */
function lines(message: string): string {
  return message.split("\n").map(printable).join("\n");
}

function text(value: string | null): string {
  return value ? printable(value) : "-";
}

function stateCell(state: string | null, enabled: boolean, drift: Row["drift"]): string {
  if (state) return coloured(state);
  return !enabled && drift === "ok" ? colorsFor(process.stdout).dim("disabled") : "-";
}

function repositoryCell({ repository }: Row, { narrow, reposRoot }: View): string {
  if (repository === null) return "-";
  const short = narrow && repository.startsWith(`${reposRoot}/`);
  return printable(short ? repository.slice(reposRoot.length + 1) : withTilde(repository));
}

function syncCell({ lastSync, syncResult }: Row, { now }: View): string {
  const { yellow } = colorsFor(process.stdout);
  const good = syncResult === null || syncResult === "ok" || syncResult === "ok-vanished";
  const when = lastSync ? ago(now - Date.parse(lastSync)).replace(/^just | ago$/, "") : "";
  if (good) return when || "-";
  return yellow([syncResult, when].filter(Boolean).join(", "));
}

function driftCell({ drift }: Row): string {
  const { green, yellow, red } = colorsFor(process.stdout);
  if (drift === "ok") return green(drift);
  return drift === "drift" || drift === "orphan" ? yellow(drift) : red(drift);
}
