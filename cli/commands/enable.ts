import type { Command } from "commander";
import { defineEnabling } from "./enabling.ts";

export function define(command: Command): void {
  defineEnabling(command, true);
}
