import type { AST } from "toml-eslint-parser";

/** Keys and indices from the top of a document, as zod gives them. */
export type Path = readonly (string | number)[];

/** 1-based. */
export interface Position {
  line: number;
  column: number;
}

interface Place {
  key?: Position;
  value?: Position;
}

/** Finds where the thing at a path stands in a file's text. */
export type Locator = (path: Path, at: "key" | "value") => Position | undefined;

/**
 * Reads a document once more, for positions. The parser is loaded only here: a registry without
 * problems never pays for it.
 *
 * @param text TOML that smol-toml could read
 * @returns a function that gives the position of a key or value; of what is nearest above it where
 *   the path leads to something that is not written, and nothing where the text cannot be read
 */
export async function locator(text: string): Promise<Locator> {
  const { parseTOML } = await import("toml-eslint-parser");
  const places = new Map<string, Place>();
  try {
    const [top] = parseTOML(text, { tomlVersion: "1.1" }).body;
    for (const node of top.body) {
      if (node.type === "TOMLKeyValue") visitPair(node, [], places);
      else visitTable(node, places);
    }
  } catch {
    return () => undefined;
  }
  return (path, at) => {
    for (let length = path.length; length > 0; length--) {
      const place = places.get(id(path.slice(0, length)));
      // What is missing has no value: then the table's header, or the key, is the place.
      const position =
        at === "value" && length === path.length ? (place?.value ?? place?.key) : place?.key;
      if (position ?? place?.value) return position ?? place?.value;
    }
    return { line: 1, column: 1 };
  };
}

const id = (path: Path): string => JSON.stringify(path);

const start = (node: { loc: AST.SourceLocation }): Position => ({
  line: node.loc.start.line,
  column: node.loc.start.column + 1,
});

const word = (node: AST.TOMLBare | AST.TOMLQuoted): string =>
  node.type === "TOMLBare" ? node.name : node.value;

/** The first mention of a place counts, so that `[a.b]` does not move `[a]`. */
function note(places: Map<string, Place>, path: Path, place: Place): void {
  const known = places.get(id(path));
  if (known) Object.assign(known, { ...place, ...known });
  else places.set(id(path), place);
}

function visitTable(node: AST.TOMLTable, places: Map<string, Place>): void {
  const path = node.resolvedKey;
  // `[project.env]` names `project` too, of which the header `[[project]]` is the better place.
  const last = node.key.keys.at(-1);
  note(places, path, { key: last && node.kind === "standard" ? start(last) : start(node) });
  for (const pair of node.body) visitPair(pair, path, places);
}

function visitPair(pair: AST.TOMLKeyValue, parent: Path, places: Map<string, Place>): void {
  let path = parent;
  for (const key of pair.key.keys) {
    path = [...path, word(key)];
    note(places, path, { key: start(key) });
  }
  note(places, path, { value: start(pair.value) });
  visitValue(pair.value, path, places);
}

function visitValue(node: AST.TOMLContentNode, path: Path, places: Map<string, Place>): void {
  if (node.type === "TOMLInlineTable") {
    for (const pair of node.body) visitPair(pair, path, places);
  } else if (node.type === "TOMLArray") {
    node.elements.forEach((element, index) => {
      const here = [...path, index];
      note(places, here, { value: start(element) });
      visitValue(element, here, places);
    });
  }
}
