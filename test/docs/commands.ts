// Whether the command line would take some arguments, by its own definitions and without acting.

import type { Command } from "commander";
import { definition, findEntry, run } from "../../cli/program.ts";

/** @returns why not; undefined where it would */
export async function refusal(args: readonly string[]): Promise<string | undefined> {
  const [name = "", ...rest] = args;
  if (name === "--help" || name === "--version") return undefined;
  try {
    const command = harmless(await definition(findEntry(name)));
    // A family of commands by its name.
    if (rest.length === 0 && command.commands.length > 0) return undefined;
    await run(command, rest, async () => {});
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

function harmless(command: Command): Command {
  if (command.commands.length === 0) command.action(() => {});
  for (const each of command.commands) harmless(each);
  return command.configureOutput({ writeOut: () => {} });
}
