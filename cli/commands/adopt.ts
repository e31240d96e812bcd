import type { Command } from "commander";
import { EXIT, Fault } from "../../host/fault.js";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import type { Wanted } from "../estate/adopt/adopt-with.ts";

interface Options extends Wanted {
  stack?: string;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Takes a container that repoman did not make into the estate, as it is: its registry entry says " +
        "exactly what is there, and nothing inside is changed. One in the estate's Incus project keeps " +
        "running; one in another project is stopped, moved and started again, which is asked first.",
    )
    .argument("[name]", "the instance; without it, those that there are are offered")
    .option("--from-project <project>", "the Incus project that it is in, if not the estate's")
    .option("--all", "every container there that has a repository below repos_root")
    .option("--repo <dir>", "which of its directories is the repository")
    .option("--image <image>", "what the registry is to name as its image")
    .addOption(stackOption())
    .addOption(yesOption())
    .option("--json", "what became of each, as JSON")
    .action(adopt);
  addExamples(command, [
    ["repoman adopt web", "one that lies in the estate's Incus project"],
    ["repoman adopt web --from-project default", "one that has to be moved"],
    ["repoman adopt --all --from-project default --yes", "all that older scripts have made"],
  ]);
}

async function adopt(name: string | undefined, options: Options): Promise<void> {
  if (name !== undefined && options.all) {
    throw new Fault("a name and --all exclude each other", {
      remedy: "Give one of them.",
      exitCode: EXIT.usage,
    });
  }
  const began = performance.now();
  const { readContext, connectTo } = await import("../context.ts");
  const context = await readContext(options);
  const client = await connectTo(context);
  try {
    const { adoptWith } = await import("../estate/adopt/adopt-with.ts");
    const { lines, exitCode } = await adoptWith(context, client, name, options);
    if (options.json) process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`);
    process.exitCode = exitCode;
    const names = lines.flatMap((line) => (line.result === "adopted" ? [line.name] : []));
    if (names.length > 0) {
      const { journal, resultOf } = await import("../journal.ts");
      const result = resultOf(exitCode);
      await journal(context.setting, { command: "adopt", names, result, exitCode, began });
    }
  } finally {
    client.close();
  }
}
