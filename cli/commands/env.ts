import type { Command } from "commander";
import { addExamples, stackOption } from "../definition.ts";

interface Options {
  stack?: string;
  registry?: string;
}

export function define(command: Command): void {
  command
    .description(
      "Prints shell commands that set the environment in which plain `pulumi` does what `repoman` " +
        "does: the same stack, state, passphrase file and tools. Makes the stack at its first use. " +
        "The passphrase itself is never printed.",
    )
    .addOption(stackOption({ makes: true }))
    .option("--registry <file>", "the registry that the stack follows from now on")
    .action(async (options: Options) => {
      const [{ findSetting, namedFile }, { ensureStack }, { quote }] = await Promise.all([
        import("../setting.ts"),
        import("../pulumi/stack.ts"),
        import("../../host/command-line.js"),
      ]);
      const setting = findSetting({ stack: options.stack });
      await ensureStack(setting, namedFile(options.registry));
      const lines = Object.entries(setting.variables).map(
        ([name, value]) => `export ${name}=${quote(value)}\n`,
      );
      process.stdout.write(lines.join(""));
    });
  addExamples(command, [
    ['eval "$(repoman env)"', "then pulumi preview, up, stack output, … in repoman's folder"],
    ['eval "$(repoman env --stack demo)"', "for another stack"],
  ]);
}
