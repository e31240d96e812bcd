import { printable } from "../../registry/text.ts";
import { colorsFor } from "../output/say.ts";
import { type Column, renderTable } from "../output/table.ts";
import type { Row } from "./rows.ts";
import { ago, coloured, withTilde } from "./summary.ts";

interface ListColumn extends Column {
  cell(row: Row, now: number): string;
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
    cell: ({ repository }) => (repository ? printable(withTilde(repository)) : "-"),
  },
  { head: "IMAGE", least: 5, cell: ({ image }) => text(image) },
  { head: "PROFILES", least: 8, cell: ({ profiles }) => text(profiles.join(", ")) },
  { head: "SYNCED", optional: true, cell: syncCell, least: 6 },
  { head: "HERMES", optional: true, cell: ({ hermes }) => (hermes ? "yes" : "-") },
  { head: "DRIFT", cell: driftCell },
];

/** Least space between two columns, as `renderTable` leaves it. */
const GAP = 2;

/**
 * The table of `repoman list`.
 *
 * @param width of the terminal; undefined where there is none: then nothing is cut or left out
 * @param now milliseconds since the epoch
 */
export function renderList(rows: readonly Row[], width: number | undefined, now: number): string {
  const all = COLUMNS.map((column) => ({
    column,
    cells: rows.map((row) => column.cell(row, now)),
  }));
  const least = all.reduce(
    (sum, { column }) => sum + (column.least ?? column.head.length) + GAP,
    0,
  );
  const narrow = width !== undefined && width < Math.max(least + 24, 100);
  const shown = all.filter(
    ({ column, cells }) => !(narrow && column.optional && cells.every((cell) => cell === "-")),
  );
  return renderTable(
    shown.map(({ column: { head, least: smallest } }) => ({
      head,
      ...(smallest !== undefined && { least: smallest }),
    })),
    rows.map((_, index) => shown.map(({ cells }) => cells[index] ?? "-")),
    width,
  );
}

/** What the table has no room for, a line or more for each row that needs it. */
export function explain(rows: readonly Row[]): string[] {
  return rows.flatMap(({ name, drift, reason, trust, differences }) => {
    const said = (what: string) => `${printable(name)}: ${lines(what)}`;
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

function syncCell({ lastSync, syncResult }: Row, now: number): string {
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
