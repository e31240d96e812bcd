import type { Command } from "commander";
import { readContext } from "../context.ts";
import { addExamples, stackOption, verbatimWords } from "../definition.ts";

interface Options {
  stack?: string;
  root?: boolean;
  start?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Opens a login shell in a container, as the owner of its repository and in the repository's " +
        "directory; or runs the command that follows --, whose exit code it ends with.",
    )
    .argument("[name]", "the project; asked for where it is missing")
    .option("--start", "start a container that does not run, without asking")
    .option("--root", "as root of the container")
    .addOption(stackOption())
    .usage("[options] [name] [-- command...]")
    .action(async (name: string | undefined, options: Options) => {
      const context = await readContext({ stack: options.stack });
      const { enter } = await import("../estate/shell.ts");
      await enter(context, {
        name,
        command: verbatimWords(command),
        root: options.root ?? false,
        start: options.start ?? false,
      });
    });
  addExamples(command, [
    ["repoman shell website", "work in it, as yourself"],
    ["repoman shell website -- npm test", "one command, with its exit code"],
    ["git diff | repoman shell website --start -- git apply", "with input, started if need be"],
    ["repoman shell website --root -- apt-get install -y jq", "as root inside"],
  ]);
}
