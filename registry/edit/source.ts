import { TomlError, parse as toData } from "smol-toml";
import { type AST, parseTOML } from "toml-eslint-parser";
import { Fault } from "../../host/fault.js";
import type { Path } from "../locate.ts";
import { printable } from "../text.ts";

/** A header with the lines below it; the first one of a file has no header. Offsets into the text. */
export interface Block {
  path: Path;
  node: AST.TOMLTable | AST.TOMLTopLevelTable;
  /** Where the comments above the header begin that belong to it. */
  from: number;
  /** Behind the last line with a key, or the header's own; its line end included. */
  body: number;
  /** The same with the comments below that belong to it. */
  to: number;
}

/** A key with its value, at any depth. */
export interface Pair {
  path: Path;
  node: AST.TOMLKeyValue;
  /** The block whose line it is on; undefined in an inline table. */
  block?: Block;
  /** The path of the table that the key is written in. */
  base: Path;
}

/** A text, and where what stands in it. */
export interface Source {
  text: string;
  data: Record<string, unknown>;
  program: AST.TOMLProgram;
  blocks: Block[];
  pairs: Pair[];
  /** Values and elements of arrays by their path. */
  values: Map<string, AST.TOMLContentNode>;
}

export const id = (path: Path): string => JSON.stringify(path);

export const startsWith = (path: Path, prefix: Path): boolean =>
  path.length >= prefix.length && prefix.every((part, index) => path[index] === part);

export const word = (node: AST.TOMLBare | AST.TOMLQuoted): string =>
  node.type === "TOMLBare" ? node.name : node.value;

/**
 * @param text TOML without a byte order mark
 * @throws Fault where it is none
 */
export function readSource(text: string): Source {
  const data = parseData(text);
  const program = parseTOML(text, { tomlVersion: "1.1" });
  const [top] = program.body;
  const tables = top.body.filter((node) => node.type === "TOMLTable");
  const blocks = placeBlocks(text, top, tables);
  const source: Source = { text, data, program, blocks, pairs: [], values: new Map() };
  for (const block of blocks) {
    for (const node of pairsOf(block)) visitPair(node, block.path, source, block);
  }
  return source;
}

/** @throws Fault where the text is no TOML */
export function parseData(text: string): Record<string, unknown> {
  try {
    return toData(text, { integersAsBigInt: "asNeeded", unsafeKeyBehaviour: "throw" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.replace(/^Invalid TOML document: /, "").split("\n", 1)[0] ?? "";
    throw new Fault(
      `the registry is not TOML at line ${error.line}, column ${error.column}: ${printable(reason)}`,
      { remedy: "mend that line first", cause: error },
    );
  }
}

/** The lines of a block, without those of its tables. */
export function pairsOf({ node }: Block): AST.TOMLKeyValue[] {
  const nodes: readonly (AST.TOMLKeyValue | AST.TOMLTable)[] = node.body;
  return nodes.filter((each) => each.type === "TOMLKeyValue");
}

/** Offset of the first character of a line. */
export const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1;

/** Offset behind a line and its end. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

/** The line end that is used around an offset. */
export function lineBreak(text: string, at = 0): string {
  const before = text.lastIndexOf("\n", at - 1);
  const end = before >= 0 ? before : text.indexOf("\n");
  return end > 0 && text[end - 1] === "\r" ? "\r\n" : "\n";
}

function placeBlocks(
  text: string,
  top: AST.TOMLTopLevelTable,
  tables: readonly AST.TOMLTable[],
): Block[] {
  const blocks: Block[] = [{ path: [], node: top, from: 0, body: 0, to: 0 }];
  for (const node of tables) {
    blocks.push({ path: node.resolvedKey, node, from: 0, body: 0, to: 0 });
  }
  blocks.forEach((block, index) => {
    const last =
      pairsOf(block).at(-1) ?? (block.node.type === "TOMLTable" ? block.node.key : undefined);
    block.body = last ? lineEnd(text, last.range[1]) : 0;
    const next = blocks[index + 1];
    const end = next ? lineStart(text, next.node.range[0]) : text.length;
    const { trail, lead } = share(text.slice(block.body, end), last !== undefined, !!next);
    block.to = block.body + trail;
    if (next) next.from = end - lead;
  });
  return blocks;
}

// A key that somebody took out for a while.
const SETTING = /^[ \t]*#[ \t]*(?:[\w-]+|"[^"]*")(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"]*"))*[ \t]*=/;

/**
 * Which comments between two blocks belong to which: those that touch one of them. Of those that
 * touch both, settings that were commented out are the upper one's. What a file begins with is the
 * file's.
 *
 * @returns lengths in characters
 */
function share(gap: string, above: boolean, below: boolean): { trail: number; lead: number } {
  const lines = gap.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const isComment = (line: string | undefined) => /^[ \t]*#/.test(line ?? "");
  let trail = 0;
  while (above && isComment(lines[trail])) trail++;
  let lead = 0;
  while (below && isComment(lines.at(-1 - lead))) lead++;
  if (lead === lines.length) {
    if (above) {
      trail = lines.findLastIndex((line) => SETTING.test(line)) + 1;
      lead -= trail;
    } else lead = 0;
  }
  const size = (list: readonly string[]) => list.reduce((sum, line) => sum + line.length, 0);
  return { trail: size(lines.slice(0, trail)), lead: lead > 0 ? size(lines.slice(-lead)) : 0 };
}

function visitPair(node: AST.TOMLKeyValue, base: Path, source: Source, block?: Block): void {
  const path = [...base, ...node.key.keys.map(word)];
  source.pairs.push({ path, node, base, ...(block && { block }) });
  visitValue(node.value, path, source);
}

function visitValue(node: AST.TOMLContentNode, path: Path, source: Source): void {
  source.values.set(id(path), node);
  if (node.type === "TOMLInlineTable") {
    for (const pair of node.body) visitPair(pair, path, source);
  } else if (node.type === "TOMLArray") {
    node.elements.forEach((element, index) => {
      visitValue(element, [...path, index], source);
    });
  }
}
