import type { Command } from "commander";
import { addExamples, stackOption, yesOption } from "../definition.ts";

export function define(command: Command): void {
  command
    .description(
      "Brings a repository back from its copy, or from an older state of it: a snapshot of the file " +
        "server's (.zfs/snapshot), or a folder of dated copies. Shows what would change, never goes " +
        "over what is there unless told, gives files the modes and owners that they had, and afterwards " +
        "compares both sides byte for byte.",
    )
    .argument("[name]", "the project; on a terminal it is asked for")
    .option("--to <dir>", "where to; the repository's own place unless given")
    .option("--path <sub>", "only this file or folder of the repository")
    .option("--at <snapshot>", "an older state, by its name or as of a date: 2026-04-28")
    .option("--snapshots <dir>", "a folder of dated copies of the disk, if not the usual ones")
    .option("--from <dir>", "the backup disk, where it is not at backup_root")
    .option("--list", "show the older states that there are")
    .option("-n, --dry-run", "show what would change, and do nothing")
    .option("--force", "go over what is there; what the copy does not have stays")
    .option("--delete", "with --force: delete what the copy does not have")
    .option("--all", "every repository that has a copy, below --to")
    .addOption(stackOption())
    .addOption(yesOption())
    .option("--json", "as JSON")
    .action(async (name, options) =>
      (await import("../backup/restore.ts")).restoreOne(name, options),
    );
  addExamples(command, [
    ["repoman restore website --to /tmp/website", "beside the repository, to look at"],
    ["repoman restore website --path src/main.c --force", "one file, as it was last mirrored"],
    ["repoman restore website --at 2026-04-28 --dry-run", "what an older state would change"],
    ["repoman restore --all --to /mnt/new/repos", "a whole disk, on the day that it is needed"],
  ]);
}
