import type { Command } from "commander";
import { addExamples } from "../definition.ts";
import { defineOperation } from "../pulumi/command.ts";

export function define(command: Command): void {
  defineOperation(command, "refresh");
  command.description(
    "Reads the live objects into Pulumi's state, and changes nothing else. " +
      "`preview` and `up` do so by themselves.",
  );
  addExamples(command, [
    ["repoman refresh --preview-only --diff", "what the state does not know yet"],
    ["repoman refresh --yes", "take it over"],
  ]);
}
