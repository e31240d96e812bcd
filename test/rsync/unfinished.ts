import { mkdirSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BackupSpec } from "../../rsync/index.ts";
import { rsyncs } from "./victim.ts";

export const MB = Buffer.alloc(1 << 20, "0123456789abcdef");

/** Some large files and many small ones. */
export function fill(folder: string, megabytes = 8, files = 300): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < megabytes; i++) writeFileSync(join(folder, `big-${i}`), MB);
  for (let i = 0; i < files; i++) writeFileSync(join(folder, `small-${i}`), `small ${i}`);
}

/** A file of holes, with which rsync is still at it when it is stopped, however busy the machine. */
export class Vast {
  readonly file: string;
  readonly #spec: BackupSpec;

  constructor(spec: BackupSpec) {
    this.#spec = spec;
    this.file = join(spec.source, "vast");
    writeFileSync(this.file, "");
    truncateSync(this.file, 8 * 2 ** 30);
  }

  /** Whether rsync is in the middle of it. */
  get isRead(): boolean {
    return rsyncs(this.#spec).some(({ pid }) => openFiles(pid).includes(this.file));
  }

  remove(): void {
    rmSync(this.file);
  }
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    // It has ended, or closed one of them.
    return [];
  }
}
