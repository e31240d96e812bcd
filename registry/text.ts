import { closest, distance } from "fastest-levenshtein";

// Control characters, line and paragraph separators, and the marks that reorder text on a terminal.
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]/gu;

const escaped = (char: string): string =>
  ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[char] ??
  `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** One line that is safe on a terminal, whatever the text holds. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** A value as it is shown in a message: in quotes, on one line, cut where it is long. */
export function quote(value: unknown): string {
  if (typeof value !== "string") return printable(String(value));
  const shown = value.length > 80 ? `${value.slice(0, 77)}…` : value;
  return `"${printable(shown.replace(/["\\]/g, "\\$&"))}"`;
}

/**
 * The known word that is nearest to what was typed, or nothing where none is near.
 *
 * @param typed what the user wrote
 * @param known what could have been meant
 */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  const words = [...known];
  if (words.length === 0) return undefined;
  const word = closest(typed.toLowerCase(), words);
  // Two letters that changed places are two steps.
  const longer = Math.max(typed.length, word.length);
  const allowed = longer < 4 ? 1 : Math.max(2, Math.floor(longer / 3));
  if (distance(typed.toLowerCase(), word.toLowerCase()) <= allowed) return word;
  // "repo_root" for "backup_root" is a guess; "max_age" for "backup_max_age" is not.
  const inside = typed.length >= 4 ? words.filter((w) => w.includes(typed.toLowerCase())) : [];
  return inside.length === 1 ? inside[0] : undefined;
}

/** `1 problem`, `3 problems`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
