import type { Command } from "commander";
import { readContext } from "../context.ts";
import { addExamples, stackOption } from "../definition.ts";
import { note } from "../output/say.ts";

interface Options {
  stack?: string;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Shows every project of the registry and what the server has of it: ok, drift, missing, " +
        "conflict (another's instance has the name), fault (trouble on this host) or unreachable; and " +
        "as orphan what no project accounts for. Exits 3 where the server cannot be reached.",
    )
    .addOption(stackOption())
    .option("--json", "as JSON")
    .action(list);
  addExamples(command, [
    ["repoman list", "all projects, with state, address and drift"],
    [
      "repoman list --json | jq -r '.[] | select(.drift != \"ok\").name'",
      "what is not as declared",
    ],
  ]);
}

async function list({ stack, json }: Options): Promise<void> {
  const context = await readContext({ stack });
  const [{ lookAtEstate }, { rowsOf }] = await Promise.all([
    import("../estate/live.ts"),
    import("../estate/rows.ts"),
  ]);
  const live = await lookAtEstate(context);
  const rows = await rowsOf(context, live);
  if (json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else if (rows.length === 0) note(`${context.file} has no projects.`);
  else {
    const { explain, renderList } = await import("../estate/list.ts");
    const width = process.stdout.isTTY ? process.stdout.columns : undefined;
    process.stdout.write(`${renderList(rows, width, context.registry.defaults.reposRoot)}\n`);
    for (const line of explain(rows)) note(line);
  }
  if (live.unreachable) throw live.unreachable;
}
