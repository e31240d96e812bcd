import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ask, errorText } from "../host/child.ts";
import { writeFileAtomic } from "../host/files.js";
import { commonArgs } from "./command.ts";
import { lower } from "./copy.ts";
import type { Abilities } from "./disk.ts";
import { type End, endOf } from "./end.ts";
import { type No, no } from "./find-copy.ts";
import type { RepositoryLock } from "./lock.ts";
import { ITEM_FORMAT, type Item, nameBytes } from "./output.ts";
import type { Restored, RestoreOptions, RestorePlan } from "./restore.ts";
import { type RunOutcome, runRsync } from "./run.ts";
import type { CheckedSpec } from "./spec.ts";

const KEPT = 20;
const EVERYTHING: Abilities = { acls: true, xattrs: "all", nanoseconds: true };

/** One restore: what it would do, and doing it. */
export class Job {
  readonly ok = true;
  readonly #spec: CheckedSpec;
  readonly #options: RestoreOptions;
  readonly #from: string;
  readonly #to: string;
  readonly #sub: string | undefined;
  readonly #warnings: string[];
  readonly #abilities: Abilities = { ...EVERYTHING };
  /** On this host: what a restore that breaks off leaves behind. */
  readonly #note: string;

  constructor(
    spec: CheckedSpec,
    options: RestoreOptions,
    from: string,
    to: string,
    sub: string | undefined,
    warnings: string[],
  ) {
    this.#spec = spec;
    this.#options = options;
    this.#from = from;
    this.#to = to;
    this.#sub = sub;
    this.#warnings = warnings;
    const hash = createHash("sha256").update(to).digest("hex").slice(0, 16);
    this.#note = join(spec.recordsDir, ".run", `restore-${hash}`);
  }

  /** What there is to do. */
  async lists(signal: AbortSignal | undefined): Promise<RestorePlan | No> {
    const target = await this.#lookAtTarget();
    if (typeof target !== "string") return target;
    const plan: RestorePlan = {
      ok: true,
      from: this.#from,
      to: this.#to,
      target,
      changes: 0,
      changing: [],
      files: 0,
      bytes: 0,
      extra: 0,
      extras: [],
      warnings: this.#warnings,
    };
    const outcome = await this.#rsync(["--dry-run", "--delete", ...thorough(target)], {
      signal,
      onItem: (item) => {
        if (item.deleted) {
          plan.extra += 1;
          if (plan.extras.length < KEPT) plan.extras.push(item.name);
          return;
        }
        plan.changes += 1;
        if (plan.changing.length < KEPT) plan.changing.push(item.name);
      },
    });
    const end = endOf(this.#spec, outcome);
    if (end.result === "failed") return no("failed", end.reason ?? "", end.remedy ?? "");
    plan.files = outcome.counts.copied;
    plan.bytes = outcome.counts.copiedBytes;
    return plan;
  }

  async run(plan: RestorePlan, lock: RepositoryLock): Promise<Restored | No> {
    const { signal, onProgress, deleteExtra } = this.#options;
    const timeoutMs = this.#spec.answerWithin;
    const made = await ask(["mkdir", "-p", "--", this.#to], { timeoutMs });
    if (made.code !== 0) {
      const why = made.timedOut ? "it does not answer" : errorText(made.stderr);
      return no("failed", `${this.#to} cannot be made: ${why}`, "Choose another place.");
    }
    const temporary = await this.#begin();
    let outcome: RunOutcome;
    try {
      onProgress?.({ phase: "copying", bytes: 0, totalBytes: plan.bytes });
      outcome = await this.#rsync(
        [
          `--temp-dir=${temporary}`,
          // Or the deletion of what is too much would take it.
          `--filter=P /${basename(temporary)}`,
          "--info=progress2",
          ...thorough(plan.target),
          ...(deleteExtra ? ["--delete-delay"] : []),
        ],
        {
          signal,
          lock,
          onProgress: (progress) =>
            onProgress?.({ phase: "copying", ...progress, totalBytes: plan.bytes }),
        },
      );
    } finally {
      await ask(["rm", "-rf", "--", temporary], { timeoutMs: this.#spec.stallAfter });
      // The folder had changed with it.
      if (this.#sub === undefined) {
        await ask(["touch", "-r", `${this.#from}/.`, "--", `${this.#to}/.`], { timeoutMs });
      }
    }
    const end = endOf(this.#spec, outcome);
    const done = (more: End & { different: string[] }): Restored => ({
      ok: true,
      from: this.#from,
      to: this.#to,
      files: outcome.counts.copied,
      bytes: outcome.counts.copiedBytes,
      deleted: outcome.counts.deleted,
      failures: outcome.failures,
      warnings: this.#warnings,
      ...more,
    });
    if (end.result === "failed") {
      return done({ ...forRestore(end, this.#to), different: [] });
    }
    await rm(this.#note, { force: true });
    return done(await this.#verify(end, lock));
  }

  /** Reads both sides again. */
  async #verify(end: End, lock: RepositoryLock): Promise<End & { different: string[] }> {
    const { signal, onProgress, deleteExtra } = this.#options;
    const different: string[] = [];
    let count = 0;
    onProgress?.({ phase: "verifying", bytes: 0 });
    const outcome = await this.#rsync(
      ["--dry-run", "--checksum", ...(deleteExtra ? ["--delete"] : [])],
      {
        signal,
        lock,
        onItem: ({ name }) => {
          if (this.#isOnTheWay(name)) return;
          count += 1;
          if (different.length < KEPT) different.push(name);
        },
      },
    );
    const verified = endOf(this.#spec, outcome);
    if (verified.result === "failed") {
      return {
        result: "failed",
        reason: `It was restored, but could not be verified: ${verified.reason}`,
        remedy: "Run it again with --force: only what differs is copied.",
        different,
      };
    }
    if (count === 0) return { ...forRestore(end, this.#to), different };
    return {
      result: "partial",
      reason: end.reason ?? `${count} entries are not as on the copy`,
      remedy: "Look at what is named; something may have written there meanwhile.",
      different,
    };
  }

  /** A folder above the one path that was asked for: its time is that of this restore. */
  #isOnTheWay(printed: string): boolean {
    const name = nameBytes(printed);
    return (
      this.#sub !== undefined &&
      printed.endsWith("/") &&
      Buffer.from(this.#sub).subarray(0, name.length).equals(name)
    );
  }

  /** Makes the folder for what is under way, and notes that it is there. */
  async #begin(): Promise<string> {
    const temporary = join(this.#to, `.repoman-restore-${randomBytes(6).toString("hex")}`);
    await mkdir(dirname(this.#note), { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#note, temporary, { mode: 0o600 });
    await mkdir(temporary, { mode: 0o700 });
    return temporary;
  }

  /** What is there; what an earlier restore that broke off left in the midst of it is removed. */
  async #lookAtTarget(): Promise<RestorePlan["target"] | No> {
    const timeoutMs = this.#spec.answerWithin;
    const left = await readFile(this.#note, "utf8").catch(() => undefined);
    if (left?.startsWith(`${this.#to}/.repoman-restore-`)) {
      await ask(["rm", "-rf", "--", left], { timeoutMs: this.#spec.stallAfter });
    }
    const seen = await ask(
      ["find", `${this.#to}/`, "-mindepth", "1", "-maxdepth", "1", "-printf", "x", "-quit"],
      { timeoutMs },
    );
    if (seen.timedOut) {
      return no("unreachable", `${this.#to} does not answer`, "Check the mount it lies on.");
    }
    if (seen.code === 0) {
      if (seen.stdout.length === 0) return "empty";
      return left === undefined ? "filled" : "unfinished";
    }
    const why = errorText(seen.stderr);
    if (why === "No such file or directory") return "absent";
    return no("failed", `${this.#to} cannot be read: ${why}`, "Choose another place.");
  }

  /** Runs rsync in the copy, again with less where the place does not keep an attribute. */
  async #rsync(
    args: readonly string[],
    options: {
      signal?: AbortSignal | undefined;
      lock?: RepositoryLock;
      onItem?: (item: Item) => void;
      onProgress?: (progress: { bytes: number; rate: number }) => void;
    },
  ): Promise<RunOutcome> {
    // By this spelling the folders on the way are rsync's to make: no link there is followed, and
    // the target itself is left as it is.
    const source = this.#sub === undefined ? "./" : `${this.#from}/./${this.#sub}`;
    for (;;) {
      const outcome = await runRsync(
        [
          ...commonArgs(this.#abilities),
          ...(this.#sub === undefined ? [] : ["--relative"]),
          ...args,
          ...(options.onItem ? [`--out-format=${ITEM_FORMAT}`] : []),
          "--",
          source,
          `${this.#to}/`,
        ],
        { folder: this.#from, stallAfter: this.#spec.stallAfter, ...options },
      );
      if (outcome.code !== 23 || !lower(this.#abilities, outcome)) return outcome;
      this.#warnings.push(`${this.#to} does not keep all attributes of the files`);
    }
  }
}

/** Size and time of a file that is there already say nothing of what is in it. */
function thorough(target: RestorePlan["target"]): string[] {
  return target === "filled" || target === "unfinished" ? ["--checksum"] : [];
}

/** The words of a mirror run's end, where it was a restore's. */
function forRestore({ result, reason }: End, to: string): End {
  if (result === "ok") return { result };
  const full = reason?.includes(" is full") || reason?.includes("is read-only");
  return {
    result,
    ...(reason !== undefined && {
      reason: full ? `There is no room at ${to}, or it is read-only` : reason,
    }),
    remedy: "Run it again with the same folder: it goes on where it broke off.",
  };
}
