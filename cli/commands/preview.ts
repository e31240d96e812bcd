import type { Command } from "commander";
import { addExamples } from "../definition.ts";
import { defineOperation } from "../pulumi/command.ts";

export function define(command: Command): void {
  defineOperation(command, "preview");
  command.description(
    "Shows what `up` would change: edits of the registry, and drift on the host by property. " +
      "Nothing is changed. It exits 0 whatever it finds, and 1 on changes with --expect-no-changes.",
  );
  addExamples(command, [
    ["repoman preview --diff", "every difference, old and new value"],
    ["repoman preview web", "only the project web"],
    ["repoman preview --expect-no-changes", "for a timer: exit 1 on drift"],
    ["repoman preview --json | jq .changeSummary", "for a program"],
  ]);
}
