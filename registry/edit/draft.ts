import type { AST } from "toml-eslint-parser";
import type { Path } from "../locate.ts";
import { insertItem, type List, removeItem, type Splice } from "./lists.ts";
import {
  type Block,
  id,
  lineBreak,
  lineEnd,
  lineStart,
  type Pair,
  pairsOf,
  readSource,
  type Source,
  startsWith,
} from "./source.ts";
import { keyText, valueText } from "./values.ts";

const BOM = "\ufeff";

/** A text that is changed one step after the other, and read anew after each. */
export class Draft {
  readonly #bom: string;
  #text: string;
  #source: Source | undefined;

  constructor(text: string) {
    this.#bom = text.startsWith(BOM) ? BOM : "";
    this.#text = text.slice(this.#bom.length);
  }

  toString(): string {
    return this.#bom + this.#text;
  }

  get source(): Source {
    this.#source ??= readSource(this.#text);
    return this.#source;
  }

  block(path: Path): Block | undefined {
    return this.source.blocks.find((block) => id(block.path) === id(path));
  }

  /** The blocks of a table and of all that is in it. */
  blocksIn(path: Path): Block[] {
    return this.source.blocks.filter(
      (block) => block.node.type === "TOMLTable" && startsWith(block.path, path),
    );
  }

  value(path: Path): AST.TOMLContentNode | undefined {
    return this.source.values.get(id(path));
  }

  /** Puts a value in the place of another. */
  replace(node: AST.TOMLContentNode, value: unknown): void {
    const [from, to] = node.range;
    const text = valueText(value, { node, text: this.#text.slice(from, to) });
    this.#apply([{ from, to, text }]);
  }

  /** Gives the last part of a key another name. */
  renameKey(pair: Pair, name: string): void {
    const key = pair.node.key.keys.at(-1);
    if (key) this.#apply([{ from: key.range[0], to: key.range[1], text: keyText(name) }]);
  }

  insertItem(list: List, index: number, item: string): void {
    this.#apply(insertItem(this.source, list, index, item));
  }

  /** Adds a line below the last key of a block, or below another line of it. */
  insertPair(block: Block, key: string, value: unknown, options: LineOptions = {}): void {
    const pairs = pairsOf(block);
    const above = options.below?.node ?? pairs.at(-1);
    const header = block.node.type === "TOMLTable" ? block.node : undefined;
    const text = this.#text;
    const start = (above ?? header)?.range[0] ?? 0;
    const indent = text.slice(lineStart(text, start), start);
    const last = above?.value ?? header?.key;
    const at = last ? lineEnd(text, last.range[1]) : 0;
    const comment = options.comment ? ` # ${options.comment}` : "";
    const line = `${indent}${key}${this.#equals(pairs, key)}${valueText(value)}${comment}`;
    const end = lineBreak(text, at);
    const open = at === text.length && !text.endsWith("\n") && text !== "";
    this.#apply([{ from: at, to: at, text: open ? end + line : line + end }]);
  }

  /** The sign between key and value, in the column where a block's other lines have it. */
  #equals(pairs: readonly AST.TOMLKeyValue[], key: string): string {
    const text = this.#text;
    const parts = pairs.map(({ key: { range }, value }) => {
      const [, before = "", after = ""] =
        /^([ \t]*)=([ \t]*)/.exec(text.slice(range[1], value.range[0])) ?? [];
      return { width: range[1] - range[0], before: before.length, after };
    });
    const last = parts.at(-1);
    if (!last) return " = ";
    const columns = new Set(parts.map(({ width, before }) => width + before));
    const [column = 0] = columns;
    const aligned = columns.size === 1 && parts.some(({ before }) => before > 1);
    const before = aligned ? Math.max(1, column - key.length) : Math.min(1, last.before);
    return `${" ".repeat(before)}=${last.after}`;
  }

  /**
   * Adds a block behind a line, a blank line between it and what is above.
   *
   * @param at offset of the beginning of a line, or of the text's end
   * @param lines of the block
   */
  insertBlock(at: number, lines: readonly string[]): void {
    const text = this.#text;
    const end = lineBreak(text, at);
    const block = lines.join(end);
    const [before, after] = [text.slice(0, at), text.slice(at)];
    if (isBlank(before)) {
      this.#apply([{ from: at, to: at, text: block + end + (isBlank(after) ? "" : end) }]);
    } else {
      const open = !before.endsWith("\n");
      this.#apply([
        { from: at, to: at, text: `${open ? end : ""}${end}${block}${open ? "" : end}` },
      ]);
    }
  }

  /** Puts a blank line below a block where there is none. */
  setApart(block: Block): void {
    const { to } = block;
    const rest = this.#text.slice(to);
    if (isBlank(rest) || /^[ \t]*\r?\n/.test(rest)) return;
    this.#apply([{ from: to, to, text: lineBreak(this.#text, to) }]);
  }

  /** Offset behind the last line that is not blank. */
  get end(): number {
    return contentEnd(this.#text, this.#text.length);
  }

  /** Offset behind the last line above that is not blank; where that is none, the block's own. */
  above(block: Block): number {
    return contentEnd(this.#text, block.from) || block.from;
  }

  /**
   * Takes away everything that is written at a path and below it, with the lines, headers and
   * comments that belong to it.
   */
  remove(path: Path): void {
    const { source } = this;
    const text = this.#text;
    const parent = this.value(path.slice(0, -1));
    const index = path.at(-1);
    if (parent?.type === "TOMLArray" && typeof index === "number") {
      this.#apply(removeItem(source, parent, index));
      return;
    }
    const blocks = this.blocksIn(path);
    const splices = runs(text, blocks).map(({ from, to }) => withoutBlock(text, from, to));
    const gone = (at: number) => blocks.some(({ from, to }) => at >= from && at < to);
    let outer = -1;
    for (const { path: own, node, block, base } of source.pairs) {
      const [from, to] = node.range;
      if (!startsWith(own, path) || gone(from) || from < outer) continue;
      const table = block ? undefined : this.value(base);
      if (table?.type === "TOMLInlineTable") {
        // What goes with it depends on its neighbours, so one at a time.
        this.#apply(removeItem(source, table, table.body.indexOf(node)));
        this.remove(path);
        return;
      }
      outer = to;
      splices.push(withoutLine(text, node));
    }
    this.#apply(splices);
  }

  /** Takes away an empty table's header or braces, unless somebody wrote a comment there. */
  removeEmpty(path: Path): boolean {
    const block = this.block(path);
    if (block) {
      const [start, end] = block.node.range;
      const lines = this.#text.slice(block.from, block.to);
      if (lines.trim() !== this.#text.slice(start, end).trim()) return false;
    }
    const node = this.value(path);
    if (!block && node?.type !== "TOMLInlineTable") return false;
    this.remove(path);
    return true;
  }

  #apply(splices: readonly Splice[]): void {
    for (const { from, to, text } of splices.toSorted((a, b) => b.from - a.from || b.to - a.to)) {
      this.#text = this.#text.slice(0, from) + text + this.#text.slice(to);
    }
    this.#source = undefined;
  }
}

export interface LineOptions {
  below?: Pair | undefined;
  comment?: string;
}

const isBlank = (text: string): boolean => text.trim() === "";

function contentEnd(text: string, before: number): number {
  const length = text.slice(0, before).trimEnd().length;
  return length === 0 ? 0 : Math.min(lineEnd(text, length), before);
}

/** Blocks with nothing but blank lines between them, as one. */
function runs(text: string, blocks: readonly Block[]): { from: number; to: number }[] {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of blocks) {
    const last = joined.at(-1);
    if (last && isBlank(text.slice(last.to, from))) last.to = to;
    else joined.push({ from, to });
  }
  return joined;
}

/** The lines of a block, and the blank ones above it; below it where it is the first. */
function withoutBlock(text: string, from: number, to: number): Splice {
  const above = contentEnd(text, from);
  const rest = text.slice(to);
  if (above > 0) {
    const open = rest === "" && !text.endsWith("\n");
    const start = open ? above - lineBreak(text, above).length : above;
    return { from: start, to, text: "" };
  }
  const blank = isBlank(rest) ? 0 : (/^(?:[ \t]*\r?\n)*/.exec(rest)?.[0].length ?? 0);
  return { from, to: to + blank, text: "" };
}

function withoutLine(text: string, node: AST.TOMLNode): Splice {
  const from = lineStart(text, node.range[0]);
  const to = lineEnd(text, node.range[1]);
  const open = to === text.length && !text.endsWith("\n") && from > 0;
  return { from: open ? from - lineBreak(text, from).length : from, to, text: "" };
}
