import type { Command } from "commander";
import { addExamples, linesOption, stackOption, yesOption } from "../definition.ts";

export function define(command: Command): void {
  command.description(
    "Looks after the copies on the backup disk: makes its folder a backup root, holds copies against " +
      "their repositories, and shows what the mirror runs came to. `repoman sync` mirrors, " +
      "`repoman restore` brings back.",
  );
  const init = command
    .command("init")
    .description(
      "Make backup_root the place of the copies, once: says what is mounted there, marks it as this " +
        "stack's, and remembers it, so that no mirror run ever writes to anything else. Makes the " +
        "folder where it is missing, which no mirror run does. Refuses another host's disk.",
    )
    .option("--replace", "take this disk in place of the one that was there before")
    .addOption(stackOption())
    .addOption(yesOption())
    .option("--json", "as JSON")
    .action(async (options) => (await import("../backup/init.ts")).init(options));
  addExamples(init, [
    ["repoman backup init", "once, when the disk is mounted"],
    ["repoman backup init --replace", "the old disk is gone, this is the new one"],
  ]);
  const verify = command
    .command("verify")
    .description(
      "Hold copies against their repositories: names, sizes, times, modes and owners of everything, " +
        "and the content of a share of the files by checksums. What was edited since the last run is " +
        "counted apart. Changes nothing; exits 1 where something differs that should not.",
    )
    .argument("[names...]", "only these projects")
    .option("--sample <share>", "the share of files whose content is read", "5%")
    .option("--full", "read all of them")
    .addOption(stackOption())
    .option("--json", "as JSON")
    .action(async (names, options) =>
      (await import("../backup/verify.ts")).verifyAll(names, options),
    );
  addExamples(verify, [
    ["repoman backup verify", "5 % of the files of every copy, drawn anew each time"],
    ["repoman backup verify website --full", "every byte of one"],
  ]);
  const log = command
    .command("log")
    .description("What the mirror runs came to: the last ones, how they grew, and what is overdue.")
    .argument("[name]", "the runs of this project, one by one")
    .addOption(linesOption("how many runs to show", "20"))
    .addOption(stackOption())
    .option("--json", "as JSON, with all runs that are recorded")
    .action(async (name, options) => (await import("../backup/log.ts")).log(name, options));
  addExamples(log, [
    ["repoman backup log", "every copy at a glance"],
    ["repoman backup log website -n 100", "the last hundred runs of one"],
  ]);
  addExamples(command, [
    ["repoman backup init", "once, when the backup disk is mounted"],
    ["repoman backup log", "is everything copied, and since when"],
    ["repoman backup verify --full", "are the copies what they should be, byte for byte"],
  ]);
}
