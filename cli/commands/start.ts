import type { Command } from "commander";
import { addExamples } from "../definition.ts";
import { defineRunState } from "../estate/run-state.ts";

export function define(command: Command): void {
  command.description("Starts containers that do not run; one that is frozen thaws.");
  defineRunState(command, "start");
  addExamples(command, [
    ["repoman start website", "the one"],
    ["repoman start website tally", "both"],
  ]);
}
