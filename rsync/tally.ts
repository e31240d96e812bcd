import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../host/child.ts";
import { bytesOf } from "./git.ts";
import { NameList } from "./names.ts";
import { type Item, nameBytes } from "./output.ts";
import type { CheckedSpec } from "./spec.ts";

/** One entry in which source and copy are not alike. */
export interface VerifyDifference {
  /** As rsync prints it: ASCII, other bytes as `\#ooo`. */
  name: string;
  kind: "missing" | "extra" | "content" | "attributes";
}

/** What is known of the copy's past. */
export interface Past {
  /** When the last good run began, ISO 8601. */
  since: string | undefined;
  /** When whatever runs did to the copy was over, ms since the epoch by the disk's own clock. */
  until: number | undefined;
  /** The copy, absolute. */
  copy: string;
  /** Folder of this host for a list. */
  work: string;
}

/** How many differences are named. */
const KEPT = 200;
/** What is asked about one name takes some hundred bytes. */
const MOST_ANSWERED = 256 << 20;

/** Counts what is not alike, by whose doing it is. */
export class Tally {
  different = 0;
  changedSince = 0;
  failures: string[] = [];
  readonly differences: VerifyDifference[] = [];
  readonly #spec: CheckedSpec;
  readonly #since: number | undefined;
  readonly #past: Past;
  /** What the repository does not have, as rsync prints it, by its bytes in latin1. */
  readonly #extras = new Map<string, string>();
  /** Bounds how many questions are out at once: rsync's output is read faster than they are answered. */
  #pending: Promise<void> = Promise.resolve();

  constructor(spec: CheckedSpec, past: Past) {
    this.#spec = spec;
    this.#past = past;
    const began = past.since === undefined ? Number.NaN : Date.parse(past.since);
    // One from the future says nothing: the clock was set back, and times since are older than it.
    this.#since = began <= Date.now() ? began : undefined;
  }

  note(item: Item): void {
    const difference = { name: item.name, kind: kindOf(item) };
    if (difference.kind === "extra") {
      this.#extras.set(nameIn(item.name), item.name);
      return;
    }
    this.#pending = this.#pending.then(async () => {
      if (await this.#hasChanged(item, difference.kind)) this.changedSince += 1;
      else this.#add(difference);
    });
  }

  #add(difference: VerifyDifference): void {
    this.different += 1;
    if (this.differences.length < KEPT) this.differences.push(difference);
  }

  /** What could not be read can be vouched for by nobody. */
  unread(failures: readonly string[]): void {
    for (const line of failures) if (!this.failures.includes(line)) this.failures.push(line);
  }

  async settle(): Promise<void> {
    await this.#pending;
    await this.#judgeExtras();
  }

  /**
   * What the repository does not have was deleted there since the last run, unless it came to the
   * copy, or was changed there, after all runs: then it was somebody else.
   */
  async #judgeExtras(): Promise<void> {
    const { until, copy, work } = this.#past;
    this.changedSince += this.#extras.size;
    if (until === undefined || this.#extras.size === 0) return;
    const list = new NameList(join(work, "extras"));
    for (const name of this.#extras.keys()) list.add(bytesOf(copy, name));
    const file = list.end() ?? "";
    const { stdout, timedOut } = await ask(
      ["xargs", "-0", "-a", file, "stat", "--printf=%.3Z\\0%n\\0", "--"],
      { timeoutMs: this.#spec.stallAfter, maxOutput: MOST_ANSWERED },
    );
    if (timedOut) this.unread([`${copy} does not answer`]);
    const fields = stdout.toString("latin1").split("\0");
    const top = bytesOf(copy, "").length;
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const printed = this.#extras.get((fields[index + 1] ?? "").slice(top));
      if (printed === undefined || Number(fields[index]) * 1000 <= until) continue;
      this.changedSince -= 1;
      this.#add({ name: printed, kind: "extra" });
    }
  }

  /**
   * Whether the repository explains the difference. The time of an inode's last change cannot be
   * set by whoever works there; without a last good run only what time and size give away counts.
   */
  async #hasChanged(item: Item, kind: VerifyDifference["kind"]): Promise<boolean> {
    if (this.#since === undefined) return kind === "missing" || /[st]/.test(item.change.slice(2));
    try {
      const { ctimeMs } = await lstat(bytesOf(this.#spec.source, nameIn(item.name)));
      return ctimeMs >= this.#since;
    } catch {
      // It went away: that is a change.
      return true;
    }
  }
}

/** The bytes of a printed name, as latin1. */
function nameIn(printed: string): string {
  return nameBytes(printed).toString("latin1").replace(/\/$/, "");
}

function kindOf({ deleted, change }: Item): VerifyDifference["kind"] {
  if (deleted) return "extra";
  if (change.includes("+++")) return "missing";
  return /^[<>]f/.test(change) ? "content" : "attributes";
}
