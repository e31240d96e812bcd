// What the four commands around Pulumi take in common.

import type { Command } from "commander";
import { EXIT } from "../../host/fault.js";
import { addRemark, stackOption, verbatimWords, yesOption } from "../definition.ts";
import { hasFlag, splitArguments } from "./arguments.ts";
import type { Operation } from "./operate.ts";

interface Options {
  stack?: string;
  registry?: string;
  yes?: boolean;
  summary?: boolean;
}

/** Arguments, options and action of `preview`, `up`, `destroy` or `refresh`. */
export function defineOperation(command: Command, operation: Operation): void {
  command
    .argument("[name...]", "limit it to these projects of the registry")
    .addOption(stackOption({ makes: operation === "up" || operation === "preview" }))
    .option("--registry <file>", "the registry that the stack follows from now on")
    .allowUnknownOption();
  addRemark(
    command,
    `Every other option, and all after \`--\`, goes to \`pulumi ${operation}\`, whose --help lists them.`,
  );
  if (operation !== "preview") command.addOption(yesOption());
  if (operation === "up") {
    command
      .option("--summary", "end with a table of what there is now (default: on a terminal)")
      .option("--no-summary", "end without it");
  }
  command.action(async (_names: string[], options: Options) => {
    process.exitCode = await perform(operation, command, options);
  });
}

async function perform(operation: Operation, command: Command, options: Options): Promise<number> {
  // Commander has taken our own options out, and left names and Pulumi's flags in their order.
  const { names, flags } = splitArguments(command.args, verbatimWords(command));
  const { operate } = await import("./operate.ts");
  const { exitCode, setting } = await operate({ operation, names, flags, ...options });
  const wanted = operation === "up" && (options.summary ?? process.stdout.isTTY);
  if (exitCode === EXIT.ok && wanted && !hasFlag(flags, "--json", "-j", "--preview-only")) {
    const { printSummary } = await import("../estate/summary.ts");
    await printSummary(setting);
  }
  return exitCode;
}
