import type { Abilities } from "./disk.ts";

/**
 * What every run of rsync has in common. `--delay-updates` is not among it: each file is put in
 * place by a rename anyway, and holding all of them back would need the space twice; what must
 * not be seen half-done, a git repository, is ordered instead (git.ts).
 */
export function commonArgs(abilities: Abilities): string[] {
  return [
    "-aHS",
    ...(abilities.acls ? ["-A"] : []),
    ...(abilities.xattrs === "none" ? [] : ["-X"]),
    ...(abilities.xattrs === "user" ? ["--filter=-x! user.*"] : []),
    "--numeric-ids",
    // Without it an edit that keeps the size within one second of the last one goes unseen.
    ...(abilities.nanoseconds ? ["--modify-window=-1"] : []),
    "--no-human-readable",
    "--stats",
    "--from0",
  ];
}

/**
 * Deletions wait until everything else is copied: a renamed file is never missing under both
 * names, and a run that breaks off has deleted nothing.
 */
export function deleteArgs(maxDelete: number): string[] {
  return ["--delete-delay", `--max-delete=${maxDelete}`];
}
