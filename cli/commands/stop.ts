import type { Command } from "commander";
import { addExamples } from "../definition.ts";
import { defineRunState } from "../estate/run-state.ts";

export function define(command: Command): void {
  command.description(
    "Stops containers; they stay, with all that is in them. `up` leaves them stopped, unless the registry declares `running`.",
  );
  defineRunState(command, "stop");
  addExamples(command, [
    ["repoman stop website", "asked to shut down, within 30 s"],
    ["repoman stop website --force", "killed"],
  ]);
}
