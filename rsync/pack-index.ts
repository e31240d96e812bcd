import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const HEADER = 8;
const FANOUT = 256 * 4;
const MAGIC = Buffer.from([0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]);

/**
 * The names of the objects in one of git's packs, by the index beside it (gitformat-pack(5),
 * version 2): a header, how many names begin with each byte or a lower one, and the names in order.
 */
export class PackIndex {
  readonly #fd: number;
  readonly #fanout: Buffer;
  readonly #hash: number;

  /**
   * @param file its path, absolute
   * @param hash bytes of a name
   * @throws Error when it cannot be read, or is no such index
   */
  constructor(file: string | Buffer, hash: number) {
    this.#hash = hash;
    this.#fd = openSync(file, "r");
    try {
      const head = Buffer.alloc(HEADER + FANOUT);
      const read = readSync(this.#fd, head, 0, head.length, 0);
      this.#fanout = head.subarray(HEADER);
      const least = HEADER + FANOUT + this.count * hash;
      if (read < head.length || !head.subarray(0, HEADER).equals(MAGIC)) {
        throw new Error("it is no pack index of version 2");
      }
      if (fstatSync(this.#fd).size < least) throw new Error("it is cut off");
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** How many objects the pack holds. */
  get count(): number {
    return this.#upTo(255);
  }

  /** The names that begin with a byte, bytes as latin1. */
  names(first: number): string[] {
    const from = first === 0 ? 0 : this.#upTo(first - 1);
    const count = this.#upTo(first) - from;
    if (count <= 0) return [];
    const bytes = Buffer.alloc(count * this.#hash);
    readSync(this.#fd, bytes, 0, bytes.length, HEADER + FANOUT + from * this.#hash);
    return Array.from({ length: count }, (_, index) =>
      bytes.toString("latin1", index * this.#hash, (index + 1) * this.#hash),
    );
  }

  close(): void {
    closeSync(this.#fd);
  }

  #upTo(first: number): number {
    return this.#fanout.readUInt32BE(first * 4);
  }
}
