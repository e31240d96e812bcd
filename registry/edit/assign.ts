import type { Path } from "../locate.ts";
import { blockLines, blocksOf, flatten, isBlock, isEmpty, isOptions } from "./blocks.ts";
import type { Draft, LineOptions } from "./draft.ts";
import { gaps } from "./gaps.ts";
import { id, type Pair, startsWith } from "./source.ts";
import { isTable, keyText, own, same, type Table, valueText } from "./values.ts";

/*
 * Makes a text say something else at a path, with as little change as can be: what is there already
 * is left alone or changed in the spelling that it has (a table of its own, dotted keys, braces), and
 * what is new is written the way its surroundings are.
 */

/** What stands at a path of the data, if anything. */
export function at(data: unknown, path: Path): unknown {
  let value = data;
  for (const part of path) {
    if (Array.isArray(value)) value = value[part as number];
    else if (isTable(value)) value = own(value, String(part));
    else return undefined;
  }
  return value;
}

/** @param value undefined takes away what is there */
export function assign(draft: Draft, path: Path, value: unknown, options: LineOptions = {}): void {
  const current = at(draft.source.data, path);
  const wanted = isTable(value) && isEmpty(value) ? undefined : value;
  if (wanted === undefined) {
    if (current !== undefined) remove(draft, path);
  } else if (current === undefined) add(draft, path, wanted, options);
  else if (isTable(current) && isTable(wanted)) {
    if (isOptions(path)) assignOptions(draft, path, wanted);
    else assignTable(draft, path, current, wanted);
  } else if (Array.isArray(current) && Array.isArray(wanted)) {
    assignList(draft, path, current, wanted);
  } else if (!same(current, wanted)) {
    const node = draft.value(path);
    if (node && !isTable(wanted)) draft.replace(node, wanted);
    else {
      remove(draft, path);
      add(draft, path, wanted, options);
    }
  }
}

function assignTable(draft: Draft, path: Path, current: Table, wanted: Table): void {
  // What is new first: a table that is empty for a moment would lose its place.
  for (const [key, value] of Object.entries(wanted)) {
    if (value !== undefined) assign(draft, [...path, key], value);
  }
  for (const key of Object.keys(current)) {
    if (own(wanted, key) === undefined) assign(draft, [...path, key], undefined);
  }
}

function assignOptions(draft: Draft, path: Path, table: Table): void {
  const written = flatten(at(draft.source.data, path) as Table);
  const wanted = new Map(flatten(table).map(([name, , value]) => [name, value]));
  const done = new Set<string>();
  const gone: Path[] = [];
  for (const [name, parts] of written) {
    if (wanted.has(name) && !done.has(name)) assign(draft, [...path, ...parts], wanted.get(name));
    else gone.push([...path, ...parts]);
    done.add(name);
  }
  // Undotted where the others are, but `limits.cpu` and `limits.cpu.allowance` cannot both be.
  const dotted = written.some(([, parts]) => parts.length > 1);
  for (const [name, value] of wanted) {
    if (done.has(name)) continue;
    const parts = name.split(".");
    const free = [...written.map(([other]) => other), ...wanted.keys()].every(
      (other) =>
        other === name ||
        !(`${other}.`.startsWith(`${name}.`) || `${name}.`.startsWith(`${other}.`)),
    );
    const plain = dotted && free && parts.every((part) => part !== "");
    add(draft, [...path, ...(plain ? parts : [name])], value);
  }
  for (const each of gone) remove(draft, each);
}

function assignList(draft: Draft, path: Path, current: unknown[], wanted: unknown[]): void {
  if (wanted.length === 0 && !draft.value(path)) {
    remove(draft, path);
    return;
  }
  // From the end, so that what comes before keeps its index.
  for (const { from, to, items } of gaps(current, wanted).reverse()) {
    const both = Math.min(to - from, items.length);
    for (let index = 0; index < both; index++) assign(draft, [...path, from + index], items[index]);
    for (let index = to - 1; index >= from + both; index--) draft.remove([...path, index]);
    for (let index = both; index < items.length; index++) {
      insertElement(draft, path, from + index, items[index]);
    }
  }
}

/** Puts an element behind all others of a list, which need not be there. */
export function append(draft: Draft, path: Path, value: unknown): void {
  const current = at(draft.source.data, path);
  if (Array.isArray(current)) insertElement(draft, path, current.length, value);
  else assign(draft, path, [value]);
}

/** Puts an element before the one that has its index, or behind all. */
function insertElement(draft: Draft, path: Path, index: number, value: unknown): void {
  const list = draft.value(path);
  if (list?.type === "TOMLArray") {
    draft.insertItem(list, index, valueText(value));
    return;
  }
  const next = draft.block([...path, index]);
  const lines = blockLines(path, value as Table, true);
  if (next) draft.insertBlock(draft.above(next), lines);
  else draft.insertBlock(endOf(draft, path), lines);
}

/** Behind all the blocks of a table and of what is in it. */
const endOf = (draft: Draft, path: Path): number =>
  Math.max(...draft.blocksIn(path).map(({ to }) => to));

/** Takes something away, and the tables that held it where nothing is left of them. */
export function remove(draft: Draft, path: Path): void {
  draft.remove(path);
  prune(draft, path.slice(0, -1));
}

function prune(draft: Draft, path: Path): void {
  // A project stays one, whatever it loses.
  if (path.length === 0 || typeof path.at(-1) === "number") return;
  const left = at(draft.source.data, path);
  const empty = isTable(left) && isEmpty(left);
  if (left === undefined || (empty && draft.removeEmpty(path))) prune(draft, path.slice(0, -1));
}

/** Writes what is not there yet. */
function add(draft: Draft, path: Path, value: unknown, options: LineOptions = {}): void {
  const parent = path.slice(0, -1);
  const key = String(path.at(-1));
  const node = draft.value(parent);
  if (node?.type === "TOMLInlineTable") {
    draft.insertItem(node, node.body.length, `${keyText(key)} = ${valueText(value)}`);
    return;
  }
  const beside = dottedBeside(draft, parent);
  if (beside) {
    addDotted(draft, beside, parent, [key], value);
    return;
  }
  const block = draft.block(parent);
  if (block) {
    if (isBlock(parent, key, value)) addBlocks(draft, path, value);
    else if (isTable(value) && parent.some((_, index) => isOptions(parent.slice(0, index + 1)))) {
      for (const [, parts, leaf] of flatten(value, [key])) {
        const last = draft.block(parent) ?? block;
        draft.insertPair(last, parts.map((part) => keyText(String(part))).join("."), leaf);
      }
    } else draft.insertPair(block, keyText(key), value, options);
    return;
  }
  const inside = draft.blocksIn(parent)[0];
  if (inside) {
    // [project.device.x] is there, and [project.device] is not.
    if (isTable(value)) draft.insertBlock(endOf(draft, parent), blockLines(path, value, false));
    else draft.insertBlock(draft.above(inside), blockLines(parent, { [key]: value }, false));
    return;
  }
  add(draft, parent, { [key]: value });
}

/** The last line that spells a table out in a dotted key, such as `env.A = 1`. */
function dottedBeside(draft: Draft, path: Path): Pair | undefined {
  if (draft.block(path) || path.length === 0) return undefined;
  return draft.source.pairs.findLast(
    (pair) =>
      pair.base.length < path.length &&
      pair.path.length > path.length &&
      startsWith(pair.path, path),
  );
}

function addDotted(
  draft: Draft,
  beside: Pair,
  parent: Path,
  keys: readonly string[],
  value: unknown,
): void {
  if (isTable(value) && Object.keys(value).length > 0) {
    const options = isOptions([...parent, ...keys]);
    for (const [key, each] of Object.entries(value)) {
      const nested = options ? flatten({ [key]: each }) : [[key, [], each] as const];
      for (const [name, , leaf] of nested) {
        // Offsets have moved since.
        const line = dottedBeside(draft, parent) ?? beside;
        addDotted(draft, line, parent, [...keys, name], leaf);
      }
    }
    return;
  }
  const [from, to] = beside.node.key.keys[0] ? beside.node.key.range : [0, 0];
  const shared = beside.node.key.keys[parent.length - beside.base.length - 1];
  const spelled = draft.source.text.slice(from, shared?.range[1] ?? to);
  const text = [spelled, ...keys.map(keyText)].join(".");
  const table = draft.value(beside.base);
  if (beside.block) draft.insertPair(beside.block, text, value, { below: beside });
  else if (table?.type === "TOMLInlineTable") {
    draft.insertItem(table, table.body.indexOf(beside.node) + 1, `${text} = ${valueText(value)}`);
  }
}

function addBlocks(draft: Draft, path: Path, value: unknown): void {
  const parent = path.slice(0, -1);
  const place = parent.length === 0 ? topPlace(draft, String(path[0])) : endOf(draft, parent);
  draft.insertBlock(place, blocksOf(path, value));
}

const ORDER = ["repoman", "host", "defaults", "project"];

/** Where a part of the registry has its place in a file: before those that come later. */
function topPlace(draft: Draft, name: string): number {
  const later = ORDER.slice(ORDER.indexOf(name) + 1);
  const next = draft.source.blocks.find(
    ({ node, path }) => node.type === "TOMLTable" && later.includes(String(path[0])),
  );
  return next ? draft.above(next) : draft.end;
}

/** The line that holds a key, where it has one. */
export function pairAt(draft: Draft, path: Path): Pair | undefined {
  return draft.source.pairs.find((pair) => id(pair.path) === id(path));
}
