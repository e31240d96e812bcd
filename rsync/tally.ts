import { lstat } from "node:fs/promises";
import { bytesOf } from "./git.ts";
import { type Item, nameBytes } from "./output.ts";
import type { CheckedSpec } from "./spec.ts";

/** One entry in which source and copy are not alike. */
export interface VerifyDifference {
  /** As rsync prints it: ASCII, other bytes as `\#ooo`. */
  name: string;
  kind: "missing" | "extra" | "content" | "attributes";
}

/** How many differences are named. */
const KEPT = 200;

/** Counts what is not alike, by whose doing it is. */
export class Tally {
  different = 0;
  changedSince = 0;
  failures: string[] = [];
  readonly differences: VerifyDifference[] = [];
  readonly #spec: CheckedSpec;
  readonly #since: number | undefined;
  /** Bounds how many questions are out at once: rsync's output is read faster than they are answered. */
  #pending: Promise<void> = Promise.resolve();

  constructor(spec: CheckedSpec, since: string | undefined) {
    this.#spec = spec;
    const began = since === undefined ? Number.NaN : Date.parse(since);
    // One from the future says nothing: the clock was set back, and times since are older than it.
    this.#since = began <= Date.now() ? began : undefined;
  }

  note(item: Item): void {
    const difference = { name: item.name, kind: kindOf(item) };
    this.#pending = this.#pending.then(async () => {
      if (await this.#hasChanged(item, difference.kind)) this.changedSince += 1;
      else {
        this.different += 1;
        if (this.differences.length < KEPT) this.differences.push(difference);
      }
    });
  }

  /** What could not be read can be vouched for by nobody. */
  unread(failures: readonly string[]): void {
    for (const line of failures) if (!this.failures.includes(line)) this.failures.push(line);
  }

  settle(): Promise<void> {
    return this.#pending;
  }

  /**
   * Whether the repository explains the difference. The time of an inode's last change cannot be
   * set by whoever works there; without a last good run only what time and size give away counts.
   */
  async #hasChanged(item: Item, kind: VerifyDifference["kind"]): Promise<boolean> {
    if (kind === "extra") return true;
    if (this.#since === undefined) return kind === "missing" || /[st]/.test(item.change.slice(2));
    const name = nameBytes(item.name).toString("latin1").replace(/\/$/, "");
    try {
      const { ctimeMs } = await lstat(bytesOf(this.#spec.source, name));
      return ctimeMs >= this.#since;
    } catch {
      // It went away: that is a change.
      return true;
    }
  }
}

function kindOf({ deleted, change }: Item): VerifyDifference["kind"] {
  if (deleted) return "extra";
  if (change.includes("+++")) return "missing";
  return /^[<>]f/.test(change) ? "content" : "attributes";
}
