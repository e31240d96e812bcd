import { closeSync } from "node:fs";
import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import {
  HeldLock,
  LOCK_BUSY,
  LOCK_TROUBLE,
  lockHolder,
  locking,
  openLock,
  takeLock,
} from "../host/lock.js";
import type { CheckedSpec } from "./spec.ts";

/** Why the lock is not held: nothing was done. */
export class NotLocked extends Fault {}

/** Exit codes from here on are not the program's own (env, sh): it did not come to run. */
const NOT_RUN = 125;

/**
 * The lock under which a repository is mirrored, verified and restored: one at a time. It is
 * opened first and taken later, by a child that has work to do under it or by itself.
 */
export class RepositoryLock {
  /** For children that keep the lock as long as they run. */
  readonly fd: number;
  readonly #name: string;
  readonly #file: string;
  readonly #who = `pid ${process.pid}`;
  #held = false;

  /** @throws {NotLocked} environment: the file cannot be opened */
  constructor({ recordsDir, name }: Pick<CheckedSpec, "recordsDir" | "name">) {
    this.#name = name;
    this.#file = join(recordsDir, ".run", `${name}.lock`);
    try {
      this.fd = openLock(this.#file);
    } catch (cause) {
      throw this.#trouble((cause as Error).message, cause);
    }
  }

  get held(): boolean {
    return this.#held;
  }

  /**
   * Takes it, unless it is held.
   *
   * @throws {NotLocked} conflict: somebody else is at it; environment: it cannot be taken
   */
  take(): void {
    if (this.#held) return;
    try {
      this.#held = takeLock(this.fd, this.#who);
    } catch (cause) {
      throw this.#trouble((cause as Error).message, cause);
    }
    if (!this.#held) throw this.#busy();
  }

  /** What a child is started with that takes it first; the child's end goes to `taken`. */
  taking(argv: readonly string[]): [string, ...string[]] {
    return locking(this.#file, this.#who, argv);
  }

  /**
   * Draws from a child's end whether it has taken the lock; one that was killed leaves it open.
   *
   * @throws {NotLocked} as `take`
   */
  taken(code: number | null, messages: readonly string[]): void {
    if (code === LOCK_BUSY) throw this.#busy();
    if (code === LOCK_TROUBLE) throw this.#trouble(messages[0] ?? "flock failed");
    if (code !== null && code < NOT_RUN) this.#held = true;
  }

  release(): void {
    if (this.#held) new HeldLock(this.fd).release();
    else closeSync(this.fd);
    this.#held = false;
  }

  #busy(): NotLocked {
    return new NotLocked(
      `Backup of ${this.#name} is already running (begun by ${lockHolder(this.#file)})`,
      {
        remedy:
          "Wait until it is through. An rsync whose parent was killed holds the lock as well.",
        exitCode: EXIT.conflict,
      },
    );
  }

  #trouble(why: string, cause?: unknown): NotLocked {
    return new NotLocked(`The lock ${this.#file} cannot be taken: ${why}`, {
      remedy: "Make the state folder writable for this user, and see that flock is installed.",
      exitCode: EXIT.environment,
      cause,
    });
  }
}

/**
 * Takes the lock of a repository.
 *
 * @throws {NotLocked} as `RepositoryLock`
 */
export function lockRepository(spec: CheckedSpec): RepositoryLock {
  const lock = new RepositoryLock(spec);
  try {
    lock.take();
  } catch (error) {
    lock.release();
    throw error;
  }
  return lock;
}
