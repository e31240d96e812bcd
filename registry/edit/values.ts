import { TomlDate } from "smol-toml";
import type { AST } from "toml-eslint-parser";
import { EXIT, Fault } from "../../host/fault.js";
import { quote } from "../text.ts";

export type Table = Record<string, unknown>;

export function isTable(value: unknown): value is Table {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

/** Whether two values mean the same in TOML; keys that are undefined do not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, index) => same(each, b[index]));
  }
  if (isTable(a) && isTable(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => same(own(a, key), own(b, key)));
  }
  if (isNumber(a) && isNumber(b)) return a === b || String(a) === String(b);
  return Object.is(a, b);
}

/** Not what every object inherits: `constructor` may be the name of a device. */
export const own = (table: Table, key: string): unknown =>
  Object.hasOwn(table, key) ? table[key] : undefined;

const isNumber = (value: unknown) => typeof value === "number" || typeof value === "bigint";

/** A key as TOML has it. */
export function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : basic(key);
}

/**
 * A value as TOML has it, on one line.
 *
 * @param old what it takes the place of: its style is kept where the new value fits it
 */
export function valueText(
  value: unknown,
  old?: { node: AST.TOMLContentNode; text: string },
): string {
  if (typeof value === "string") return stringText(value, old);
  if (isNumber(value)) {
    const float = old?.node.type === "TOMLValue" && old.node.kind === "float";
    const text = numberText(value as number | bigint);
    return float && /^-?\d+$/.test(text) ? `${text}.0` : text;
  }
  if (typeof value === "boolean") return String(value);
  if (value instanceof Date) return dateText(value);
  if (Array.isArray(value)) return `[${value.map((each) => valueText(each)).join(", ")}]`;
  if (isTable(value)) {
    const pairs = Object.entries(value).filter(([, each]) => each !== undefined);
    const list = pairs.map(([key, each]) => `${keyText(key)} = ${valueText(each)}`);
    return list.length > 0 ? `{ ${list.join(", ")} }` : "{}";
  }
  throw new TypeError(`${String(value)} has no place in TOML`);
}

function numberText(value: number | bigint): string {
  if (value === Infinity || value === -Infinity) return value > 0 ? "inf" : "-inf";
  if (Number.isNaN(value)) return "nan";
  return Object.is(value, -0) ? "-0.0" : String(value);
}

/** To the second, as people write it; a date that came from TOML as it was. */
function dateText(value: Date): string {
  const text = value.toISOString();
  return value instanceof TomlDate ? text : text.replace(".000Z", "Z");
}

function stringText(value: string, old?: { node: AST.TOMLContentNode; text: string }): string {
  if (/\p{Surrogate}/u.test(value)) {
    throw new Fault(`${quote(value)} holds half a character, which TOML cannot keep`, {
      remedy: "write it anew",
      exitCode: EXIT.usage,
    });
  }
  const node = old?.node;
  if (node?.type === "TOMLValue" && node.kind === "string") {
    // A first line break is not part of the text.
    const first = node.multiline ? (/^(?:"""|''')(\r?\n)?/.exec(old?.text ?? "")?.[1] ?? "") : "";
    if (node.style === "literal") {
      const rest = node.multiline ? value.replace(/\r?\n/g, "") : value;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they need escapes, which it lacks
      const plain = !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(rest);
      if (!node.multiline && plain && !value.includes("'")) return `'${value}'`;
      const opens = first === "" && /^\r?\n/.test(value);
      if (node.multiline && plain && !opens && !/'''|'$/.test(value))
        return `'''${first}${value}'''`;
    } else if (node.multiline) {
      const opens = first === "" && /^\r?\n/.test(value);
      if (!opens) return `"""${first}${escaped(value, true)}"""`;
    }
  }
  return basic(value);
}

const basic = (text: string): string => `"${escaped(text, false)}"`;

const SHORT: Record<string, string> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

function escaped(text: string, multiline: boolean): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML wants them escaped
  return text.replace(/\r\n|["\\\u0000-\u001f\u007f]/g, (char) => {
    if (multiline && (char === "\n" || char === "\r\n")) return char;
    if (char === "\r\n") return "\\r\\n";
    return SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
