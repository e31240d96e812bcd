import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { everyProcess, type Living } from "../rig/processes.ts";

/** At how many moments of a run each kind of kill comes. */
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

  constructor(source: string) {
    this.source = source;
  }

  async make(): Promise<void> {
    mkdirSync(this.source, { recursive: true });
    await git(this.source, "init", "-qb", "main");
    // Large files are not git's, so that most of a run is their copy.
    writeFileSync(join(this.source, ".git/info/exclude"), "large-*\n");
    for (let i = 0; i < SMALL; i++) writeFileSync(join(this.source, `small-${i}`), `small ${i}`);
    await this.edit();
  }

  /** Gives every phase of the next run something to do: commits, writes, and renames. */
  async edit(): Promise<void> {
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
  }

  /**
   * What an earlier run had copied and is there under neither its old name nor its new one, and
   * what git finds wrong with the copy.
   */
  async harmed(copy: string): Promise<string[]> {
    const isThere = (name: string) => existsSync(join(copy, name));
    const lost = this.#moved.filter(({ from, to }) => !isThere(from) && !isThere(to));
    const git = await fsck(copy);
    return [...lost.map(({ to }) => to), ...(git ? [git] : [])];
  }
}
