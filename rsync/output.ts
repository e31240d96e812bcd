import type { Counts } from "./types.ts";

/** One change that rsync lists (`--out-format` as in `ITEM_FORMAT`). */
export interface Item {
  /** rsync's `%i`, such as `>f+++++++++`, `.d..t......` or `*deleting`. */
  change: string;
  deleted: boolean;
  /** Size of a regular file whose content is to be copied, in bytes; else 0. */
  size: number;
  /** Size of whatever it is, in bytes. */
  length: number;
  /** The path as rsync prints it: ASCII, other bytes as `\#ooo`. A folder ends with a slash. */
  name: string;
}

export const ITEM_FORMAT = "@ %o %i %l %n";

/** @returns undefined for a line that is no item */
export function parseItem(line: string): Item | undefined {
  const match = /^@ (\S+) (\S+) +(\d+) (.*)$/.exec(line);
  if (!match) return undefined;
  const [, , change = "", size, name = ""] = match;
  const deleted = change === "*deleting";
  const length = Number(size);
  return { change, deleted, size: /^[<>]f/.test(change) ? length : 0, length, name };
}

/** The bytes of a name that rsync printed with `\#ooo` for what is not printable ASCII. */
export function nameBytes(printed: string): Buffer {
  const text = printed.replace(/\\#([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(text, "latin1");
}

/** `--info=progress2`: bytes so far and bytes a second. */
export function parseProgress(line: string): { bytes: number; rate: number } | undefined {
  const match = /^ *([\d,]+) +\d+% +([\d.]+)([kMGT]?)B\/s /.exec(line);
  if (!match) return undefined;
  const unit = { "": 1, k: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }[match[3] ?? ""] ?? 1;
  return { bytes: Number((match[1] ?? "0").replaceAll(",", "")), rate: Number(match[2]) * unit };
}

const STATS: [RegExp, keyof Counts][] = [
  [/^Number of files: ([\d,]+)/, "files"],
  [/^Number of created files: ([\d,]+)/, "created"],
  [/^Number of deleted files: ([\d,]+)/, "deleted"],
  [/^Number of regular files transferred: ([\d,]+)/, "copied"],
  [/^Total file size: ([\d,]+)/, "bytes"],
  [/^Total transferred file size: ([\d,]+)/, "copiedBytes"],
];

/** Takes a line of `--stats` into `counts`. */
export function readStat(line: string, counts: Counts): boolean {
  for (const [pattern, key] of STATS) {
    const match = pattern.exec(line);
    if (!match) continue;
    counts[key] = Number((match[1] ?? "0").replaceAll(",", ""));
    return true;
  }
  return false;
}

export function noCounts(): Counts {
  return { files: 0, bytes: 0, created: 0, deleted: 0, copied: 0, copiedBytes: 0 };
}

/**
 * Cuts a stream into lines at newlines and carriage returns (rsync ends its progress with those).
 * A line longer than `limit` is passed on in its first part, so that memory stays bounded.
 */
export class Lines {
  private rest = "";
  private readonly onLine: (line: string) => void;
  private readonly limit: number;

  constructor(onLine: (line: string) => void, limit = 1 << 16) {
    this.onLine = onLine;
    this.limit = limit;
  }

  push(chunk: Buffer): void {
    const parts = (this.rest + chunk.toString("latin1")).split(/[\r\n]/);
    this.rest = (parts.pop() ?? "").slice(0, this.limit);
    for (const part of parts) if (part !== "") this.onLine(part);
  }

  end(): void {
    if (this.rest !== "") this.onLine(this.rest);
    this.rest = "";
  }
}
