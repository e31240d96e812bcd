import type { Command } from "commander";
import { printable } from "../../registry/text.ts";
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
      "Removes a project's container and its entry in the registry. Its repository and its backup " +
        "stay, and so do its overrides, set aside. What was cut off is finished by running it again.",
    )
    .argument("[name]", "the project; chosen from a list where there is a terminal")
    .addOption(stackOption())
    .addOption(yesOption())
    .action(act);
  addExamples(command, [
    ["repoman remove web", "show what goes and what stays, ask, remove"],
    ["repoman remove web --yes", "without asking"],
  ]);
}

async function act(named: string | undefined, { stack, yes }: Options): Promise<void> {
  const { describeRemoval, planRemoval, remove, staying } = await import("../estate/removal.ts");
  const removal = await planRemoval(named, stack);
  const { context, name, project } = removal;
  note(describeRemoval(removal));
  const would = `removes the container and the entry of "${name}"`;
  if (!(await consent(`Remove "${name}"?`, { yes, would }))) {
    declined();
    return;
  }
  const { aside } = await remove(removal);
  const { journal } = await import("../journal.ts");
  await journal(context.setting, { command: "remove", names: [name], result: "ok", exitCode: 0 });
  const kept = [
    ...staying(project),
    ...(aside === undefined ? [] : [`Stays:  its overrides ${printable(aside)}`]),
  ];
  process.stdout.write([`Removed "${name}".`, ...kept, ""].join("\n"));
}
