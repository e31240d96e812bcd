import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import { colorsFor } from "./say.ts";

export interface Column {
  head: string;
  /** May be cut short where the table is wider than the terminal; its least width. */
  least?: number;
}

const GAP = 2;

/**
 * A table without borders, for people.
 *
 * @param columns
 * @param rows one cell per column; colours in them do not count
 * @param width of the terminal; undefined where the output is not one, and nothing is cut
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const { bold } = colorsFor(process.stdout);
  const widths = fit(
    columns.map(({ head, least }, index) => {
      const natural = Math.max(...[head, ...rows.map((row) => row[index] ?? "")].map(displayWidth));
      return { natural, least: Math.min(least ?? natural, natural) };
    }),
    width,
  );
  const table = new Table({
    head: columns.map(({ head }) => bold(head)),
    // A cell's padding counts as part of its column.
    colWidths: widths.map((columnWidth) => columnWidth + GAP),
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    chars: NO_BORDERS,
    truncate: "…",
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Takes what is too much from the widest columns that may shrink, a letter at a time. */
export function fit(
  columns: readonly { natural: number; least: number }[],
  width: number | undefined,
): number[] {
  const widths = columns.map(({ natural }) => natural);
  let excess =
    widths.reduce((sum, each) => sum + each + GAP, -GAP) - (width ?? Number.POSITIVE_INFINITY);
  for (; excess > 0; excess--) {
    let widest = -1;
    for (const [index, { least }] of columns.entries()) {
      const size = widths[index] ?? 0;
      if (size > least && size > (widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** How many columns of a terminal a text takes, colours not counted. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(stripVTControlCharacters(text))) {
    width += WIDE.test(segment) ? 2 : 1;
  }
  return width;
}

/** East Asian letters and pictures, which take two columns. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;

const NO_BORDERS = Object.fromEntries(
  ["top", "bottom", "left", "right", "mid", "middle"].flatMap((side) =>
    ["", "-mid", "-left", "-right"].map((corner) => [`${side}${corner}`, ""]),
  ),
);
