import type { Command } from "commander";
import { addExamples } from "../definition.ts";
import { defineOperation } from "../pulumi/command.ts";

export function define(command: Command): void {
  defineOperation(command, "destroy");
  command.description(
    "Removes the containers, profiles and the Incus project that this stack has made. " +
      "Repositories, backups and images stay, and so does all that repoman did not make.",
  );
  addExamples(command, [
    ["repoman destroy --preview-only", "what would go"],
    ["repoman destroy", "show it, ask, remove"],
    ["repoman destroy web --yes", "only the container of the project web"],
    ["repoman destroy --yes --remove", "and the stack itself"],
  ]);
}
