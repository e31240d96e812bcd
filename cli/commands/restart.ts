import type { Command } from "commander";
import { addExamples } from "../definition.ts";
import { defineRunState } from "../estate/run-state.ts";

export function define(command: Command): void {
  command.description(
    "Stops containers and starts them again, which brings changes that wait for it; one that does not run is started.",
  );
  defineRunState(command, "restart");
  addExamples(command, [
    ["repoman restart website", "after a change that takes effect at the next start"],
    ["repoman restart website --timeout 120", "where shutting down takes long"],
  ]);
}
