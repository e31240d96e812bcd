import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ask, errorText } from "../host/child.ts";
import { EXIT, Fault } from "../host/fault.js";
import { writeFileAtomic } from "../host/files.js";
import { HeldLock, tryLock } from "../host/lock.js";
import { isWithin } from "../host/mountinfo.ts";
import { type No, no } from "./find-copy.ts";
import type { TargetState } from "./restore-types.ts";
import type { CheckedSpec } from "./spec.ts";

const PREFIX = ".repoman-restore-";

/** The folder that is restored into, and what a restore keeps in it while it works. */
export class Target {
  readonly to: string;
  readonly #spec: CheckedSpec;
  /** On this host: what a restore that breaks off leaves behind. */
  readonly #note: string;

  /** @param to absolute and normalised */
  constructor(spec: CheckedSpec, to: string) {
    this.to = to;
    this.#spec = spec;
    const hash = createHash("sha256").update(to).digest("hex").slice(0, 16);
    this.#note = join(spec.recordsDir, ".run", `restore-${hash}`);
  }

  /** @throws {Fault} conflict: a restore of another repository into the same folder is at work */
  lock(): HeldLock {
    const file = `${this.#note}.lock`;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const lock = tryLock(file, `a restore of ${this.#spec.name} (pid ${process.pid})`);
    if (lock instanceof HeldLock) return lock;
    throw new Fault(`${this.to} is being restored into by ${lock.holder}`, {
      remedy: "Wait until it is through, or choose another folder.",
      exitCode: EXIT.conflict,
    });
  }

  /**
   * Holds that it is not on the backup disk, nor around it, whatever links lead there.
   *
   * @throws {Fault} usage
   */
  async requireApart(): Promise<No | undefined> {
    const { backupRoot, answerWithin: timeoutMs } = this.#spec;
    // `-m`: what is not there yet is taken as it is written.
    const answer = await ask(["realpath", "-mz", "--", this.to, backupRoot], { timeoutMs });
    if (answer.timedOut) return this.#silent();
    const [to, root] = answer.stdout.toString().split("\0");
    if (answer.code !== 0 || !to || !root) {
      return this.#no(`it cannot be told where it is: ${errorText(answer.stderr)}`);
    }
    if (!isWithin(to, root) && !isWithin(root, to)) return undefined;
    const leads = to === this.to ? "is" : `leads to ${to}, which is`;
    throw new Fault(`${this.to} ${leads} on the backup disk or around it`, {
      remedy: "Restore to a place that holds no copies.",
      exitCode: EXIT.usage,
    });
  }

  /** What is there; changes nothing. */
  async look(): Promise<TargetState | No> {
    const seen = await ask(
      ["find", `${this.to}/`, "-mindepth", "1", "-maxdepth", "1", "-printf", "x", "-quit"],
      { timeoutMs: this.#spec.answerWithin },
    );
    if (seen.timedOut) return this.#silent();
    if (seen.code === 0) {
      if (seen.stdout.length === 0) return "empty";
      return (await this.leftover()) === undefined ? "filled" : "unfinished";
    }
    const why = errorText(seen.stderr);
    if (why === "No such file or directory") return "absent";
    return this.#no(`it cannot be read: ${why}`);
  }

  /** The folder, below this one, of a restore that is at work or broke off. */
  async leftover(): Promise<string | undefined> {
    const text = await readFile(this.#note, "utf8").catch(() => "");
    const name = basename(text);
    const isOurs = /^\.repoman-restore-[0-9a-f]+$/.test(name) && text === join(this.to, name);
    return isOurs ? name : undefined;
  }

  /** Removes what an earlier restore left in the midst of it. For whoever holds the lock. */
  async clear(): Promise<No | undefined> {
    const name = await this.leftover();
    return name === undefined ? undefined : this.#remove(name);
  }

  /** Makes it, with a folder in it for what is under way. @returns the name of that */
  async begin(): Promise<string | No> {
    const { answerWithin: timeoutMs } = this.#spec;
    const made = await ask(["mkdir", "-p", "--", this.to], { timeoutMs });
    if (made.timedOut) return this.#silent();
    if (made.code !== 0) return this.#no(`it cannot be made: ${errorText(made.stderr)}`);
    const name = `${PREFIX}${randomBytes(6).toString("hex")}`;
    await mkdir(dirname(this.#note), { recursive: true, mode: 0o700 });
    // Noted first: killed after it, the next one knows what is its own.
    await writeFileAtomic(this.#note, join(this.to, name), { mode: 0o600 });
    await mkdir(join(this.to, name), { mode: 0o700 });
    return name;
  }

  /**
   * Removes the folder for what was under way.
   *
   * @param like where the time of this one is taken from, which changed with it
   */
  async end(name: string, like: string | undefined): Promise<No | undefined> {
    const kept = await this.#remove(name);
    if (kept || like === undefined) return kept;
    const timeoutMs = this.#spec.answerWithin;
    await ask(["touch", "-r", `${like}/.`, "--", `${this.to}/.`], { timeoutMs });
    return undefined;
  }

  /** Forgets that something was under way. */
  async forget(): Promise<void> {
    await rm(this.#note, { force: true });
  }

  async #remove(name: string): Promise<No | undefined> {
    const folder = join(this.to, name);
    const gone = await ask(["rm", "-rf", "--", folder], { timeoutMs: this.#spec.stallAfter });
    if (gone.code === 0) return undefined;
    if (gone.timedOut) return this.#silent();
    return no("failed", `${folder} cannot be removed: ${errorText(gone.stderr)}`, "Remove it.");
  }

  #silent(): No {
    return no("unreachable", `${this.to} does not answer`, "Check the mount it lies on.");
  }

  #no(why: string): No {
    return no("failed", `${this.to}: ${why}`, "Choose another place.");
  }
}
