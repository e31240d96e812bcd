import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { everyProcess, type Living } from "../rig/processes.ts";
import { everything } from "./everything.ts";
import { entriesOf, strangers } from "./files-of.ts";

/** How many files `opened` names: at each of them, runs are killed. */
export const MOMENTS = 10;

const LARGE = 6;
const SMALL = 120;
const MOVED = 15;

const git = (folder: string, ...args: string[]) =>
  execa("git", ["-c", "safe.directory=*", "-C", folder, ...args], {
    env: {
      GIT_AUTHOR_NAME: "A",
      GIT_AUTHOR_EMAIL: "a",
      GIT_COMMITTER_NAME: "A",
      GIT_COMMITTER_EMAIL: "a",
    },
  });

/** What git says of a repository: nothing, when it is whole. */
export async function fsck(folder: string): Promise<string> {
  const { all, exitCode } = await execa(
    "git",
    ["-c", "safe.directory=*", "-C", folder, "fsck", "--full", "--strict", "--no-progress"],
    { reject: false, all: true },
  );
  return exitCode === 0 ? "" : `exit ${exitCode}: ${all}`;
}

/** The rsync processes that hold the lock of a repository that is recorded in a folder. */
export function rsyncs({ recordsDir }: { recordsDir: string }): Living[] {
  const lock = (pid: number) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/3`);
    } catch {
      return "";
    }
  };
  return everyProcess().filter(
    ({ pid, argv }) => argv[0] === "rsync" && lock(pid).startsWith(`${recordsDir}/`),
  );
}

/** A git repository that is copied, and killed, again and again. */
export class Victim {
  readonly source: string;
  #round = 0;
  #moved: { from: string; to: string }[] = [];
  /** As it was before the last edit, which is how a good copy has it, and as it is now. */
  #states: Map<string, string>[] = [];

  constructor(source: string) {
    this.source = source;
  }

  /** @param fill makes what else is to be in it */
  async make(fill: (folder: string) => Promise<void> = everything): Promise<void> {
    mkdirSync(this.source, { recursive: true });
    await git(this.source, "init", "-qb", "main");
    // Large files are not git's, so that most of a run is their copy.
    writeFileSync(join(this.source, ".git/info/exclude"), "large-*\n");
    for (let i = 0; i < SMALL; i++) writeFileSync(join(this.source, `small-${i}`), `small ${i}`);
    await fill(this.source);
    await this.edit();
  }

  /** Gives every phase of the next run something to do: commits, writes, and renames. */
  async edit(): Promise<void> {
    const before = entriesOf(this.source);
    const round = ++this.#round;
    const at = (name: string) => join(this.source, name);
    // Those that were renamed the last time go on to the next name.
    this.#moved = Array.from({ length: round > 1 ? MOVED : 0 }, (_, i) => ({
      from: round === 2 ? `small-${i}` : `moved-${round - 1}-${i}`,
      to: `moved-${round}-${i}`,
    }));
    for (const { from, to } of this.#moved) renameSync(at(from), at(to));
    for (let i = 0; i < LARGE; i++) writeFileSync(at(`large-${i}`), randomBytes(1 << 20));
    await git(this.source, "add", "-A");
    await git(this.source, "commit", "-qm", `round ${round}`);
    if (round % 2 === 0) await git(this.source, "pack-refs", "--all");
    if (round % 3 === 0) await git(this.source, "repack", "-adq");
    this.#states = [before, entriesOf(this.source)];
  }

  /**
   * Files that the next run opens, from its first phase to the last one that copies: refs and index,
   * which are set aside; an object; what is written; and new names, after which comes the deletion
   * of the old ones.
   */
  async opened(): Promise<string[]> {
    const { stdout: head } = await git(this.source, "rev-parse", "HEAD");
    const loose = `.git/objects/${head.slice(0, 2)}/${head.slice(2)}`;
    const packs = () =>
      readdirSync(join(this.source, ".git/objects/pack")).filter((name) => name.endsWith(".pack"));
    return [
      ".git/HEAD",
      ".git/index",
      ".git/logs/HEAD",
      existsSync(join(this.source, loose)) ? loose : `.git/objects/pack/${packs()[0]}`,
      ...Array.from({ length: LARGE - 2 }, (_, i) => `large-${i + 1}`),
      this.#moved[0]?.to ?? "",
      this.#moved.at(-1)?.to ?? "",
    ].map((name) => join(this.source, name));
  }

  /**
   * What an earlier run had copied and is there under neither its old name nor its new one, what is
   * neither as it was nor as it is to be, and what git finds wrong with the copy.
   */
  async harmed(copy: string): Promise<string[]> {
    const isThere = (name: string) => existsSync(join(copy, name));
    const lost = this.#moved.filter(({ from, to }) => !isThere(from) && !isThere(to));
    const git = await fsck(copy);
    return [
      ...lost.map(({ to }) => `${to} is lost`),
      ...strangers(copy, ...this.#states).map((name) => `${name} is in part`),
      ...(git ? [git] : []),
    ];
  }
}
