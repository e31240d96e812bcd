// Text of a container's on the user's terminal. An escape sequence in it could set the window's
// title, write to the clipboard or hide what stands beside it: none gets through.

import { StringDecoder } from "node:string_decoder";
import { printable } from "../../registry/text.ts";

/** Colours, which many programs write into their logs; they are dropped rather than shown. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what it looks for
const COLOURS = /\u001b\[[0-9;]*m/g;

/** A line that has no effect but to be read; tabs stay. */
export function harmless(line: string): string {
  return line.replace(COLOURS, "").replace(/\r+$/, "").split("\t").map(printable).join("\t");
}

/** A line longer than this is cut into several, or one without an end would be kept for ever. */
const LONGEST_LINE = 64 * 1024;

/** Takes bytes as they come and hands on whole lines. */
export class Lines {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest) this.#onLine(this.#rest);
    this.#rest = "";
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
    for (; this.#rest.length > LONGEST_LINE; this.#rest = this.#rest.slice(LONGEST_LINE)) {
      this.#onLine(this.#rest.slice(0, LONGEST_LINE));
    }
  }
}

/** The last `count` lines of a text; its own last line end begins no new one. */
export function lastLines(text: string, count: number): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return count === 0 ? [] : lines.slice(-count);
}
