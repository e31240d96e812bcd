import type { Command } from "commander";
import { printable } from "../../registry/text.ts";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import { note, warn } from "../output/say.ts";

interface Options {
  stack?: string;
  yes?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Reads one project's overrides anew (repos.d/<name>.toml, and the repository's .repoman.toml as " +
        "far as it is trusted) and applies what they say to that project alone. Shows the changes " +
        "first and asks; without a terminal it needs --yes.",
    )
    .argument("[name]", "the project; chosen from a list where there is a terminal")
    .addOption(stackOption())
    .addOption(yesOption())
    .action(act);
  addExamples(command, [
    ["repoman update web", "after an edit of repos.d/web.toml"],
    ["repoman update web --yes", "without asking"],
  ]);
}

async function act(named: string | undefined, { stack, yes }: Options): Promise<void> {
  const [{ readContext }, { chooseProject }, { operate }, { overrideFile }, { exists }] =
    await Promise.all([
      import("../context.ts"),
      import("../estate/choose.ts"),
      import("../pulumi/operate.ts"),
      import("../registry/overrides.ts"),
      import("../../host/files.js"),
    ]);
  const context = await readContext({ stack });
  const { registry, file, setting } = context;
  const name = await chooseProject(context, named, "Update which project?");
  const override = overrideFile(file, name);
  if (await exists(override)) note(`Counts: ${printable(override)}`);
  for (const { project, what, remedy } of registry.warnings) {
    if (project === name) warn(`${what}\n  ${remedy}`);
  }
  const { exitCode } = await operate({
    operation: "up",
    typed: "update",
    names: [name],
    flags: yes ? ["--skip-preview"] : [],
    yes,
    stack: setting.stack,
  });
  process.exitCode = exitCode;
}
