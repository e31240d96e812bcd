// `enable` and `disable`: one key of the registry, and `up` of that project.

import type { Command } from "commander";
import { addExamples, stackOption } from "../definition.ts";
import { note } from "../output/say.ts";

interface Options {
  stack?: string;
  up: boolean;
}

export function defineEnabling(command: Command, enabled: boolean): void {
  const verb = enabled ? "enable" : "disable";
  command
    .description(
      enabled
        ? "Takes a disabled project up again: its container is made or comes back, and its mirror counts again."
        : "Keeps a project in the registry without bringing it up: its container stays, stopped, and its " +
            "backup is no longer watched over. Nothing is deleted.",
    )
    .argument("[name]", "the project; chosen from a list where there is a terminal")
    .addOption(stackOption())
    .option("--no-up", "only write it into the registry; the next `up` applies it")
    .action((name: string | undefined, options: Options) => act(name, enabled, options));
  addExamples(command, [
    [`repoman ${verb} web`, enabled ? "and bring it up" : "and stop its container"],
    [`repoman ${verb} web --no-up`, "in the registry only"],
  ]);
}

async function act(named: string | undefined, enabled: boolean, { stack, up }: Options) {
  const { setEnabled } = await import("./enabling.ts");
  const { context, name, changed } = await setEnabled(named, enabled, stack);
  const word = enabled ? "enabled" : "disabled";
  note(`"${name}" is ${word}${changed ? "" : " already"}.`);
  if (changed) {
    const { journal } = await import("../journal.ts");
    const command = enabled ? "enable" : "disable";
    await journal(context.setting, { command, names: [name], result: "ok", exitCode: 0 });
  }
  if (!up) return;
  const { bringUp } = await import("./bring-up.ts");
  process.exitCode = await bringUp([name], context.setting.stack);
}
