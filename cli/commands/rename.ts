import type { Command } from "commander";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import { consent, declined } from "../output/ask.ts";
import { note } from "../output/say.ts";

interface Options {
  stack?: string;
  yes?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Gives a project another name: its entry, its container, its overrides and the record of its " +
        "backups. Nothing is made anew, and the repository and its backup stay where they are. A " +
        "running container is stopped for it and started again. What was cut off is finished by " +
        "running it again.",
    )
    .argument("[old]", "the project; chosen from a list where there is a terminal")
    .argument("[new]", "its new name; asked for where there is a terminal")
    .addOption(stackOption())
    .addOption(yesOption())
    .action(act);
  addExamples(command, [
    ["repoman rename web site", "show what that means, ask, rename"],
    ["repoman rename web site --yes", "without asking"],
  ]);
}

async function act(
  old: string | undefined,
  fresh: string | undefined,
  { stack, yes }: Options,
): Promise<void> {
  const { describeRename, planRename, rename } = await import("../estate/renaming.ts");
  const plan = await planRename(old, fresh, stack);
  const { from, to } = plan;
  note(describeRename(plan));
  const would = plan.stops
    ? `stops the container "${from}", and starts it again as "${to}"`
    : `renames the project "${from}"`;
  if (!(await consent(`Rename "${from}" to "${to}"?`, { yes, would }))) {
    declined();
    return;
  }
  const exitCode = await rename(plan);
  process.exitCode = exitCode;
  const { journal, resultOf } = await import("../journal.ts");
  const result = resultOf(exitCode);
  const { setting } = plan.context;
  await journal(setting, { command: "rename", names: [from, to], result, exitCode });
  if (exitCode === 0) process.stdout.write(`Renamed "${from}" to "${to}".\n`);
  else note(`What is left to do is finished by: repoman rename ${from} ${to}`);
}
