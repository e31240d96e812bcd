import { stripVTControlCharacters } from "node:util";

const REDRAW_MS = 100;

/**
 * One line that says what is at work, redrawn in place on a terminal; elsewhere nothing but the
 * lines that are printed for good.
 */
export class Status {
  private readonly stream: NodeJS.WriteStream;
  private readonly current = new Map<string, string>();
  private drawn = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  set(name: string, text: string): void {
    this.current.set(name, text);
    const now = performance.now();
    if (now - this.drawn < REDRAW_MS) return;
    this.drawn = now;
    this.draw();
  }

  done(name: string): void {
    this.current.delete(name);
  }

  /** Prints a line for good, above the status line. */
  print(text: string): void {
    this.clear();
    process.stdout.write(`${text}\n`);
    this.draw();
  }

  end(): void {
    this.current.clear();
    this.clear();
  }

  private clear(): void {
    if (this.stream.isTTY) this.stream.write("\r\u001b[K");
  }

  private draw(): void {
    if (!this.stream.isTTY || this.current.size === 0) return;
    const text = [...this.current].map(([name, state]) => `${name}: ${state}`).join(" · ");
    const line = stripVTControlCharacters(text).slice(0, (this.stream.columns ?? 80) - 1);
    this.stream.write(`\r\u001b[K${line}`);
  }
}
