import { closeSync, createReadStream, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { EXIT, Fault } from "../host/fault.js";

const BUFFERED = 64 * 1024;

/** Names in a file, NUL-terminated, since there may be millions. Made, with its folder, for its first name. */
export class NameList {
  readonly #file: string;
  #fd: number | undefined;
  #parts: Buffer[] = [];
  #size = 0;
  #trouble: Error | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  add(name: Buffer): void {
    this.#parts.push(name, Buffer.of(0));
    this.#size += name.length + 1;
    if (this.#size > BUFFERED) this.#flush();
  }

  /**
   * @returns the file; undefined without any name
   * @throws {Fault} environment: it could not be written
   */
  end(): string | undefined {
    if (this.#parts.length > 0) this.#flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
    if (this.#trouble) {
      throw new Fault(`${this.#file} cannot be written: ${this.#trouble.message}`, {
        remedy: "Free some space there, and make it writable for this user.",
        exitCode: EXIT.environment,
        cause: this.#trouble,
      });
    }
    return this.#fd === undefined ? undefined : this.#file;
  }

  #flush(): void {
    const content = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    if (this.#trouble) return;
    try {
      if (this.#fd === undefined) mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      this.#fd ??= openSync(this.#file, "w", 0o600);
      writeFileSync(this.#fd, content);
    } catch (error) {
      // Thrown at the end: whoever calls in between is a stream.
      this.#trouble = error as Error;
    }
  }
}

/** Reads what a `NameList` wrote, bytes as latin1. */
export async function* namesIn(file: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(file)) {
    const parts = (rest + (chunk as Buffer).toString("latin1")).split("\0");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
