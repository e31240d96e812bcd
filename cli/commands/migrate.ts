import type { Command } from "commander";
import { addExamples, stackOption, yesOption } from "../definition.ts";

interface Options {
  fromBash?: boolean;
  stack?: string;
  yes?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Brings what an older repoman left to what this one works with: the registry from schema 1 or 2 " +
        "to 3, as `config migrate` does; with --from-bash, the containers that the bash script made in " +
        "the Incus project default, for which it had no registry.",
    )
    .option(
      "--from-bash",
      "show the bash script's containers, and what the registry would say of them",
    )
    .addOption(stackOption())
    .addOption(yesOption("do not ask before the registry is written"))
    .option("--json", "as JSON")
    .action(async (options: Options) => {
      if (options.fromBash) await fromBash(options);
      else await (await import("../registry/migrating.ts")).migrate(options);
    });
  addExamples(command, [
    ["repoman migrate", "bring the registry to schema 3, comments kept"],
    ["repoman migrate --from-bash", "what the bash script's containers would become"],
    ["repoman migrate --from-bash --json", "the same for a program"],
  ]);
}

async function fromBash({ stack, json }: Options): Promise<void> {
  const [{ readContext, connectTo }, { findOlder, describeOlder }] = await Promise.all([
    import("../context.ts"),
    import("../registry/from-bash.ts"),
  ]);
  const context = await readContext({ stack });
  const client = await connectTo(context);
  try {
    const found = await findOlder(context, client);
    if (json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    else process.stdout.write(describeOlder(found, context));
  } finally {
    client.close();
  }
}
