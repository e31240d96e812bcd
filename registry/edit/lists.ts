import type { AST } from "toml-eslint-parser";
import { lineBreak, lineEnd, lineStart, type Source } from "./source.ts";

/** What takes the place of a part of a text. */
export interface Splice {
  from: number;
  to: number;
  text: string;
}

/** The elements of an array, or the keys of an inline table. */
export type List = AST.TOMLArray | AST.TOMLInlineTable;

const items = (list: List): readonly AST.TOMLNode[] =>
  list.type === "TOMLArray" ? list.elements : list.body;

/** Puts one more into a list, in the style of those that are there. */
export function insertItem(source: Source, list: List, index: number, item: string): Splice[] {
  const { text } = source;
  const all = items(list);
  const [open, close] = [list.range[0] + 1, list.range[1] - 1];
  const last = all.at(-1);
  if (!last) return [intoEmpty(text, open, close, item, list)];
  const next = all[index];
  if (next) {
    const start = next.range[0];
    if (!beginsLine(text, start)) return [insert(start, `${item}, `)];
    const line = lineStart(text, start);
    return [insert(line, `${text.slice(line, start)}${item},${lineBreak(text, start)}`)];
  }
  const comma = commaAfter(source, last, close);
  const end = comma ?? last.range[1];
  if (!beginsLine(text, last.range[0])) {
    return [insert(end, comma === undefined ? `, ${item}` : ` ${item},`)];
  }
  const line = lineBreak(text, end) + text.slice(lineStart(text, last.range[0]), last.range[0]);
  // A comment behind the last one stays on its line.
  const ending = lineEnd(text, end);
  const at = ending <= close ? ending - lineBreak(text, ending).length : end;
  return comma === undefined
    ? [{ from: end, to: at, text: `,${text.slice(end, at)}${line}${item}` }]
    : [insert(at, `${line}${item},`)];
}

/** Takes one out of a list, with its comma, and its line where it has one of its own. */
export function removeItem(source: Source, list: List, index: number): Splice[] {
  const { text } = source;
  const all = items(list);
  const item = all[index];
  if (!item) return [];
  const close = list.range[1] - 1;
  const [from, to] = item.range;
  const comma = commaAfter(source, item, all[index + 1]?.range[0] ?? close);
  const previous = all[index - 1];
  const next = all[index + 1];
  // Without a comma behind the last one there is to be none behind the one before it.
  const left = previous && !next && comma === undefined && commaAfter(source, previous, from);
  const before = left ? [{ from: left - 1, to: left, text: "" }] : [];
  const ending = lineEnd(text, comma ?? to);
  if (beginsLine(text, from)) {
    if (ending <= (next ? lineStart(text, next.range[0]) : close)) {
      return [...before, { from: lineStart(text, from), to: ending, text: "" }];
    }
    const start = lineStart(text, from);
    const above = start - lineBreak(text, start).length;
    if (!next) return [...before, { from: above, to: comma ?? to, text: "" }];
  }
  if (next) return [{ from, to: next.range[0], text: "" }];
  if (!previous) return [{ from, to: comma ?? to, text: "" }];
  const behind = commaAfter(source, previous, from) ?? previous.range[1];
  return [{ from: left ? previous.range[1] : behind, to: comma ?? to, text: "" }];
}

const insert = (at: number, text: string): Splice => ({ from: at, to: at, text });

function intoEmpty(text: string, open: number, close: number, item: string, list: List): Splice {
  const inner = text.slice(open, close);
  if (inner.includes("\n")) {
    const indent = /^[ \t]*/.exec(text.slice(lineStart(text, open)))?.[0] ?? "";
    return insert(open, `${lineBreak(text, close)}${indent}  ${item},`);
  }
  if (inner === "" && list.type === "TOMLInlineTable") return insert(open, ` ${item} `);
  return insert(open + Math.floor(inner.length / 2), item);
}

const beginsLine = (text: string, at: number): boolean =>
  text.slice(lineStart(text, at), at).trim() === "";

/** Offset behind the comma that follows, before `end`. */
function commaAfter({ program }: Source, node: AST.TOMLNode, end: number): number | undefined {
  return program.tokens.find(
    ({ type, value, range }) =>
      type === "Punctuator" && value === "," && range[0] >= node.range[1] && range[1] <= end,
  )?.range[1];
}
