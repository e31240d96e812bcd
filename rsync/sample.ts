import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { type Item, nameBytes } from "./output.ts";

/** The files whose content is to be read, drawn while they are listed and kept in a file. */
export class Sample {
  readonly file: string;
  files = 0;
  bytes = 0;
  ofFiles = 0;
  ofBytes = 0;
  readonly #share: number;
  readonly #draw: () => number;
  #list: WriteStream | undefined;

  /**
   * @param options.sample the share of files to draw, in percent
   * @param options.work folder of this host for the list
   */
  constructor({
    work,
    sample,
    draw = Math.random,
  }: {
    work: string;
    sample: number;
    draw?: () => number;
  }) {
    this.file = join(work, "sample");
    this.#share = sample / 100;
    this.#draw = draw;
  }

  async begin(): Promise<void> {
    this.#list = createWriteStream(this.file);
    await once(this.#list, "open");
  }

  offer({ change, length, name }: Item): void {
    if (change[1] !== "f") return;
    this.ofFiles += 1;
    this.ofBytes += length;
    // Of a few files at least one is read.
    if (this.#draw() >= this.#share && !(this.#share > 0 && this.files === 0)) return;
    this.files += 1;
    this.bytes += length;
    this.#list?.write(Buffer.concat([nameBytes(name), Buffer.of(0)]));
  }

  async end(): Promise<void> {
    this.#list?.end();
    if (this.#list) await once(this.#list, "close");
  }
}
