import type { Command } from "commander";
import { readContext } from "../context.ts";
import { addExamples, linesFrom, linesOption, stackOption } from "../definition.ts";

interface Options {
  stack?: string;
  follow?: boolean;
  lines: string;
  console?: boolean;
  raw?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Prints the journal of a container in which systemd runs, and of any other what it wrote to its " +
        "console. Escape sequences are shown as text, so that nothing inside can act on this terminal.",
    )
    .argument("[name]", "the project; asked for where it is missing")
    .option("-f, --follow", "go on with what comes, until Ctrl-C")
    .addOption(linesOption("so many of the last lines", "100"))
    .option("--console", "the console even where there is a journal: what boot printed")
    .option("--raw", "as it is, escape sequences included")
    .addOption(stackOption())
    .action(async (name: string | undefined, { lines, ...options }: Options) => {
      const count = linesFrom(lines);
      const context = await readContext({ stack: options.stack });
      const { printLogs } = await import("../estate/logs.ts");
      await printLogs(context, {
        name,
        lines: count,
        follow: options.follow ?? false,
        console: options.console ?? false,
        raw: options.raw ?? false,
      });
    });
  addExamples(command, [
    ["repoman logs website", "its last 100 lines"],
    ["repoman logs website --follow -n 10", "and what comes"],
    ["repoman logs website --console", "what it printed while it started"],
  ]);
}
