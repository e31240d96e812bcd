import type { Path } from "../locate.ts";
import { isTable, keyText, type Table, valueText } from "./values.ts";

/** Options of Incus, which may be written as `a.b = 1` and as `"a.b" = 1`: one and the same key. */
export const isOptions = (path: Path): boolean =>
  path[0] === "project" &&
  ((path.length === 3 && path[2] === "config") || (path.length === 4 && path[2] === "device"));

export const isEmpty = (table: Table): boolean =>
  Object.values(table).every((each) => each === undefined);

/** Each option by its whole name, and where it is written. */
export function flatten(table: Table, parts: readonly string[] = []): [string, Path, unknown][] {
  return Object.entries(table).flatMap(([key, value]) => {
    const path = [...parts, key];
    if (isTable(value)) return flatten(value, path);
    return value === undefined
      ? []
      : [[path.join("."), path, value] satisfies [string, Path, unknown]];
  });
}

/** What gets a header of its own where it is new. */
export function isBlock(parent: Path, key: string, value: unknown): boolean {
  if (key === "mount" || key === "project") return isTables(value);
  if (parent.length === 0) return isTable(value);
  return isTable(value) && ["env", "config", "device"].includes(key);
}

const isTables = (value: unknown): value is Table[] =>
  Array.isArray(value) && value.length > 0 && value.every(isTable);

/** All the lines of something that has headers. */
export function blocksOf(path: Path, value: unknown): string[] {
  if (isTables(value)) return join(value.map((each) => blockLines(path, each, true)));
  const table = value as Table;
  if (path.at(-1) === "device") {
    const devices = Object.entries(table).filter(([, each]) => each !== undefined);
    return join(devices.map(([name, each]) => blockLines([...path, name], each as Table, false)));
  }
  return blockLines(path, table, false);
}

/** The lines of one table: its header, its keys, and its own tables below. */
export function blockLines(path: Path, table: Table, element: boolean): string[] {
  const name = path
    .filter((part) => typeof part === "string")
    .map(keyText)
    .join(".");
  const lines = [element ? `[[${name}]]` : `[${name}]`];
  const blocks: string[][] = [];
  const inside = element ? [...path, 0] : path;
  const entries = isOptions(path)
    ? flatten(table).map(([key, , value]) => [key, value] as const)
    : Object.entries(table);
  for (const [key, value] of entries) {
    if (value === undefined || (isTable(value) && isEmpty(value))) continue;
    if (isBlock(inside, key, value)) blocks.push(blocksOf([...inside, key], value));
    else lines.push(`${keyText(key)} = ${valueText(value)}`);
  }
  return join([lines, ...blocks]);
}

const join = (blocks: readonly string[][]): string[] =>
  blocks.flatMap((lines, index) => (index > 0 ? ["", ...lines] : lines));
