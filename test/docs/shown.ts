// Whether a command printed what a document shows.

/** What differs from run to run, and says nothing: numbers of all kinds. */
const VARIES: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{16,}\b/g, "<id>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z?/g, "<date>"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, "<address>"],
  [/\b[\d.]+ (?:[KMGT]?i?B|bytes)\b/g, "<size>"],
  [/\b[\d.]+ ?(?:ms|s|sec|seconds|min|h)\b/g, "<time>"],
  [/\/dev\/(?:loop|sd)\w+/g, "<disk>"],
];

/** Spaces only lay out. */
export function normal(line: string): string {
  return VARIES.reduce((text, [from, to]) => text.replace(from, to), line)
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * @param expected as shown: `...` on a line of its own stands for any lines, within one for any text
 * @param actual all that was printed
 */
export function matches(expected: readonly string[], actual: string): boolean {
  const wanted = trimmed(expected.map(normal));
  const got = trimmed(actual.split("\n").map(normal));
  // As one pattern over lines, so that several `...` find their way by themselves.
  const pattern = wanted.map((line) =>
    line === "..." ? "(?:.*\\n)*" : `${line.split("...").map(escaped).join(".*")}\\n`,
  );
  return new RegExp(`^${pattern.join("")}$`).test(`${got.join("\n")}\n`);
}

/** Empty lines at both ends, and doubled ones, are the paper's. */
function trimmed(lines: readonly string[]): string[] {
  return lines.filter((line) => line !== "");
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
