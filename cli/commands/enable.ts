import type { Command } from "commander";
import { defineEnabling } from "../estate/enabling-command.ts";

export function define(command: Command): void {
  defineEnabling(command, true);
}
