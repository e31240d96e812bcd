import type { Command } from "commander";
import { addExamples } from "../definition.ts";
import { defineOperation } from "../pulumi/command.ts";

export function define(command: Command): void {
  defineOperation(command, "up");
  command.description(
    "Brings containers, profiles and backups to what the registry declares, and mends drift. " +
      "Shows the changes first and asks; without a terminal it needs --yes.",
  );
  addExamples(command, [
    ["repoman up", "show the changes, ask, apply"],
    ["repoman up --yes", "without asking"],
    ["repoman up web api", "only these projects, and what they need"],
    ["repoman up --stack demo --registry demo.toml", "another estate"],
  ]);
}
