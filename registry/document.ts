import { parse, TomlError } from "smol-toml";
import { type Locator, locator, type Path } from "./locate.ts";
import { printable } from "./text.ts";

/** A file as it was read. */
export interface Document {
  /** Absolute path. */
  file: string;
  /** Reads it once more, for positions. */
  locator: () => Promise<Locator>;
  data: Record<string, unknown>;
  /** The project that the whole file is about, for overrides. */
  project?: string;
  /** The profile that the whole file is about. */
  profile?: string;
  syntax: Mishap[];
  /** Whether something other than a `[[project]]` could not be read. */
  incomplete: boolean;
}

/** What a parser could not read. */
export interface Mishap {
  line: number;
  column: number;
  what: string;
}

/** Where in which file something stands. */
export interface Origin {
  document: Document;
  path: Path;
}

// Enough for a file that was written in haste; a file with more is no registry.
const MOST_SYNTAX_ERRORS = 50;
// A header with one name begins a part that can be read without the parts before it.
const HEADER =
  /^[ \t]*\[{1,2}[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\]{0,2}[ \t]*(?:#.*)?$/;

/**
 * Reads TOML and goes on after a syntax error: the top-level part that holds the error (a whole
 * `[[project]]` with its tables) is left out, so that what is wrong elsewhere is found as well.
 *
 * @param file absolute path, for messages
 * @param source the file's text
 */
export function parseDocument(file: string, source: string, project?: string): Document {
  const syntax: Mishap[] = [];
  const about = { file, syntax, ...(project !== undefined && { project }) };
  let incomplete = false;
  let text = source.startsWith("\ufeff") ? source.slice(1) : source;
  for (;;) {
    try {
      const data = parse(text, { integersAsBigInt: "asNeeded", unsafeKeyBehaviour: "throw" });
      return { ...about, locator: () => locator(text), data, incomplete };
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      syntax.push({ line: error.line, column: error.column, what: reason(error) });
      const rest = syntax.length < MOST_SYNTAX_ERRORS && withoutPart(text, error.line);
      if (!rest) return { ...about, locator: () => locator(""), data: {}, incomplete: true };
      incomplete ||= !/^[ \t]*\[\[/.test(rest.header);
      text = rest.text;
    }
  }
}

/** The parser's reason without its picture of the source. */
function reason(error: TomlError): string {
  const first = error.message.replace(/^Invalid TOML document: /, "").split("\n", 1)[0] ?? "";
  return printable(first.replace(/\.$/, ""));
}

/** The text with one top-level part blanked, line numbers kept; nothing if none can be named. */
function withoutPart(text: string, line: number): { text: string; header: string } | undefined {
  const lines = text.split("\n");
  const isHeader = (index: number) => HEADER.test(lines[index]?.replace(/\r$/, "") ?? "");
  let start = Math.min(line, lines.length) - 1;
  while (start > 0 && !isHeader(start)) start--;
  let end = start + 1;
  while (end < lines.length && !isHeader(end)) end++;
  const part = lines.slice(start, end);
  if (part.every((content) => content.trim() === "")) return undefined;
  return {
    text: [...lines.slice(0, start), ...part.map(() => ""), ...lines.slice(end)].join("\n"),
    header: part[0] ?? "",
  };
}
