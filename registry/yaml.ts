import { isCollection, isMap, isPair, LineCounter, type Node, parseDocument } from "yaml";
import type { Document } from "./document.ts";
import type { Findings } from "./findings.ts";
import type { Locator, Position } from "./locate.ts";
import { printable } from "./text.ts";

/**
 * Reads a YAML file whose top is a table, and reports what cannot be read. Every scalar is a
 * string, as it is written: Incus keeps nothing else.
 *
 * @param file absolute path, for messages
 * @param profile the profile that the file is about
 */
export function parseYaml(
  file: string,
  text: string,
  profile: string,
  findings: Findings,
): Document {
  const lines = new LineCounter();
  const parsed = parseDocument(text, {
    schema: "failsafe",
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const unreadable = (position: Position, what: string, remedy = "mend this line") =>
    findings.addLocated({ file, ...position, what, remedy });
  for (const error of parsed.errors) {
    unreadable(at(error.pos[0]), `not YAML here: ${printable(error.message)}`);
  }
  let data: unknown;
  if (parsed.errors.length === 0) {
    try {
      // A document without content reads as an empty string or as nothing.
      data = parsed.toJS({ maxAliasCount: 100 }) || {};
    } catch (error) {
      // Aliases that lead nowhere, or that multiply beyond reason.
      const what = error instanceof Error ? error.message : String(error);
      unreadable({ line: 1, column: 1 }, `not YAML that can be read: ${printable(what)}`);
    }
  }
  if (data !== undefined && (typeof data !== "object" || Array.isArray(data))) {
    const what = "a table is wanted here, with config and devices";
    unreadable({ line: 1, column: 1 }, what, "write it as `incus profile show` does");
    data = undefined;
  }
  return {
    file,
    data: (data ?? {}) as Record<string, unknown>,
    profile,
    syntax: [],
    incomplete: data === undefined,
    locator: async () => locator(parsed.contents, at),
  };
}

function locator(top: unknown, at: (offset: number) => Position): Locator {
  return (path, where) => {
    let node: unknown = top;
    let position: Position = { line: 1, column: 1 };
    for (const [index, part] of path.entries()) {
      if (!isMap(node)) return position;
      const pair = node.items.find((item) => String(item.key) === String(part));
      if (!isPair(pair)) return position;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      const last = index === path.length - 1;
      const wanted = last && where === "value" && value && !isCollection(value) ? value : key;
      position = at(wanted.range?.[0] ?? 0);
      node = value;
    }
    return position;
  };
}
