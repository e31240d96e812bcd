// Two texts, line by line, as `diff -u` shows them.

import { gaps } from "../../registry/edit/gaps.ts";
import { printable } from "../../registry/text.ts";
import { colorsFor } from "./say.ts";

const CONTEXT = 3;

interface Line {
  sign: " " | "-" | "+";
  text: string;
}

/**
 * The differences between two texts with some lines around them; empty where there are none.
 *
 * @param stream that it is for: colours
 */
export function renderDiff(
  before: string,
  after: string,
  stream: { isTTY?: boolean } = process.stderr,
): string {
  const { red, green, cyan } = colorsFor(stream);
  const paint = { " ": (text: string) => text, "-": red, "+": green };
  const lines = diffLines(linesOf(before), linesOf(after));
  let shown = "";
  let [old, fresh, last] = [1, 1, -2];
  lines.forEach(({ sign, text }, index) => {
    if (isNear(lines, index)) {
      if (last !== index - 1) shown += cyan(`@@ -${old} +${fresh} @@\n`);
      last = index;
      shown += `${paint[sign](`${sign}${text.split("\t").map(printable).join("\t")}`)}\n`;
    }
    if (sign !== "+") old++;
    if (sign !== "-") fresh++;
  });
  return shown;
}

const isNear = (lines: readonly Line[], index: number): boolean =>
  lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== " ");

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function diffLines(before: readonly string[], after: readonly string[]): Line[] {
  const line = (sign: Line["sign"]) => (text: string) => ({ sign, text });
  // The ends of long files are mostly the same, and comparing all with all takes its time.
  let head = 0;
  while (head < before.length && before[head] === after[head]) head++;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const middle = before.slice(head, before.length - tail);
  const result = before.slice(0, head).map(line(" "));
  let at = 0;
  for (const { from, to, items } of gaps(middle, after.slice(head, after.length - tail))) {
    result.push(...middle.slice(at, from).map(line(" ")));
    result.push(...middle.slice(from, to).map(line("-")));
    result.push(...(items as string[]).map(line("+")));
    at = to;
  }
  const rest = [...middle.slice(at), ...before.slice(before.length - tail)];
  return [...result, ...rest.map(line(" "))];
}
