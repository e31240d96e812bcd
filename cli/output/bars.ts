// What is at work, as a block of lines at the foot of a terminal that is redrawn in place: one line
// for each, and one for all together. Elsewhere nothing but the lines that are printed for good.
//
// Written here, and not taken from a package: those that draw several bars either know only counts
// of one unit, or print over what the program prints beside them.

import { printable } from "../../registry/text.ts";
import { colorsFor } from "./say.ts";
import { displayWidth } from "./table.ts";
import { bytes, timeLeft } from "./units.ts";

const REDRAW_MS = 100;
const LONGEST_NAME = 24;
const LEAST_BAR = 8;
const LEAST_TEXT = 20;
const MOST_BAR = 30;

/** Where one of them is. */
export interface Point {
  /** Shown instead of a bar as long as nothing is counted: `checking`. */
  phase?: string | undefined;
  bytes?: number | undefined;
  totalBytes?: number | undefined;
  /** Whether the total is only about right. */
  about?: boolean | undefined;
  /** Bytes a second. */
  rate?: number | undefined;
}

export class Bars {
  readonly #stream: NodeJS.WriteStream;
  readonly #fancy: boolean;
  readonly #count: number;
  readonly #running = new Map<string, Point>();
  #done = 0;
  #doneBytes = 0;
  #height = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param count how many there will be in all
   * @param stream where the block is drawn, if that is a terminal
   */
  constructor(
    count: number,
    stream: NodeJS.WriteStream = process.stderr,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.#count = count;
    this.#stream = stream;
    this.#fancy = stream.isTTY === true && env.TERM !== "dumb";
  }

  /** Whether anybody sees it. */
  get shown(): boolean {
    return this.#fancy;
  }

  set(name: string, point: Point): void {
    this.#running.set(name, point);
    if (!this.#fancy) return;
    if (this.#timer) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS).unref();
  }

  /** @param copied the bytes that it came to */
  done(name: string, copied = 0): void {
    this.#running.delete(name);
    this.#done += 1;
    this.#doneBytes += copied;
  }

  /** Prints lines for good, above the block. */
  print(text: string, to: NodeJS.WriteStream = process.stdout): void {
    if (this.#fancy) this.#stream.write(this.#erased());
    to.write(`${text}\n`);
    if (this.#timer) this.#draw();
  }

  /** Takes the block away. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#running.clear();
    if (this.#fancy) this.#stream.write(this.#erased());
  }

  #erased(): string {
    const up = this.#height > 0 ? `\r\u001b[${this.#height}A` : "\r";
    const text = this.#height > 0 ? `${up}\u001b[J` : "";
    this.#height = 0;
    return text;
  }

  /** In one write, and between the marks by which a terminal shows it at once: it does not flicker. */
  #draw(): void {
    const lines = layOut(
      {
        running: [...this.#running],
        done: this.#done,
        count: this.#count,
        doneBytes: this.#doneBytes,
      },
      { columns: this.#stream.columns || 80, rows: this.#stream.rows || 24 },
      colorsFor(this.#stream),
    );
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : "";
    const text = lines.map((line) => `${line}\u001b[K\n`).join("");
    this.#height = lines.length;
    this.#stream.write(`\u001b[?2026h\r${up}${text}\u001b[J\u001b[?2026l`);
  }
}

export interface Scene {
  running: readonly (readonly [name: string, point: Point])[];
  done: number;
  count: number;
  /** Of those that are done. */
  doneBytes: number;
}

/** The lines of the block, none wider than the terminal and no more than it has. Pure. */
export function layOut(
  { running, done, count, doneBytes }: Scene,
  { columns, rows }: { columns: number; rows: number },
  { dim, green }: ReturnType<typeof colorsFor>,
): string[] {
  const width = Math.max(20, columns - 1);
  const most = Math.max(1, rows - 3);
  const shown = running.slice(0, running.length > most ? most - 1 : most);
  const names = shown.map(([name]) => cut(printable(name), Math.min(LONGEST_NAME, width >> 1)));
  const column = Math.max(0, ...names.map(displayWidth));
  const lines = shown.map(([, point], index) => {
    const name = names[index] ?? "";
    const start = `${name}${" ".repeat(column - displayWidth(name))}  `;
    const room = width - displayWidth(start);
    const share = shareOf(point);
    const bar = Math.min(MOST_BAR, Math.floor(width / 5));
    if (share === undefined || bar < LEAST_BAR || room - bar < LEAST_TEXT) {
      return `${start}${fitting(describe(point), room)}`;
    }
    const text = fitting(describe(point), room - bar - 2);
    const full = Math.round(bar * share);
    return `${start}${green("━".repeat(full))}${dim("━".repeat(bar - full))}  ${text}`;
  });
  if (running.length > shown.length) lines.push(dim(`… and ${running.length - shown.length} more`));
  if (count > 1) lines.push(dim(cut(total({ running, done, count, doneBytes }), width)));
  return lines;
}

function shareOf({ bytes: now, totalBytes }: Point): number | undefined {
  if (now === undefined || !totalBytes) return undefined;
  return Math.min(1, now / totalBytes);
}

/** What is said of one, the most important first. */
function describe(point: Point): string[] {
  const { phase, bytes: now, totalBytes, about, rate } = point;
  const share = shareOf(point);
  if (now === undefined || (now === 0 && !totalBytes)) return phase === undefined ? [] : [phase];
  const left =
    rate && totalBytes && totalBytes > now ? timeLeft((totalBytes - now) / rate) : undefined;
  return [
    share === undefined ? "" : `${String(Math.floor(share * 100)).padStart(3)} %`,
    bytes(now),
    totalBytes ? `of ${about ? "about " : ""}${bytes(totalBytes)}` : "",
    rate ? `${bytes(rate)}/s` : "",
    left ? `${left} left` : "",
  ].filter((part) => part !== "");
}

/** As many of the parts as there is room for. */
function fitting(parts: readonly string[], room: number): string {
  for (let length = parts.length; length > 1; length--) {
    const text = parts.slice(0, length).join("  ");
    if (displayWidth(text) <= room) return text;
  }
  return cut(parts[0] ?? "", room);
}

function total({ running, done, count, doneBytes }: Scene): string {
  const sum = (of: (point: Point) => number | undefined) =>
    running.reduce((whole, [, point]) => whole + (of(point) ?? 0), 0);
  const now = doneBytes + sum((point) => point.bytes);
  const rate = sum((point) => point.rate);
  const parts = [`${done} of ${count} done`, bytes(now)];
  if (rate > 0) parts.push(`${bytes(rate)}/s`);
  // What waits has not been looked at, so only the last ones can be foreseen.
  const foreseen = running.length > 0 && running.every(([, { totalBytes }]) => totalBytes);
  if (rate > 0 && foreseen && done + running.length === count) {
    const left = sum(({ totalBytes, bytes: each = 0 }) => Math.max(0, (totalBytes ?? 0) - each));
    if (left > 0) parts.push(`${timeLeft(left / rate)} left`);
  }
  return parts.join(" · ");
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (displayWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
