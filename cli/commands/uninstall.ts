import type { Command } from "commander";
import { exists } from "../../host/files.js";
import { inOwnWords } from "../../host/own-words.js";
import { printable } from "../../registry/text.ts";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import type { Thing } from "../estate/uninstall-plan.ts";
import { consent, declined } from "../output/ask.ts";

interface Options {
  stack?: string;
  purge?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Takes away what repoman has put on this host: containers, profiles and the Incus project of the " +
        "stack, Pulumi's state, the toolchain, and its own Incus where it runs one. Repositories and " +
        "backups stay always, the registry unless --purge, and what another stack needs. What was cut " +
        "off is finished by running it again.",
    )
    .addOption(stackOption({ makes: true }))
    .option("--purge", "the registry, overrides, own profiles, trust and journal as well")
    .option("-n, --dry-run", "say what would go and what stays, and do nothing")
    .addOption(yesOption())
    .option("--json", "what would go and what stays, as JSON; does nothing")
    .action(act);
  addExamples(command, [
    ["repoman uninstall --dry-run", "what would go, and what stays"],
    ["repoman uninstall", "show it, ask, and do it"],
    ["repoman uninstall --stack demo --yes", "the demo estate"],
  ]);
}

async function act({ stack, purge, dryRun, yes, json }: Options): Promise<void> {
  const [{ findSetting }, { requireStack }, { planUninstall }] = await Promise.all([
    import("../setting.ts"),
    import("../pulumi/known-stack.ts"),
    import("../estate/uninstall-plan.ts"),
  ]);
  const setting = findSetting({ stack });
  // One whose state went first, when it was cut off, has this folder still.
  if (stack !== undefined && !(await exists(setting.stackDir))) await requireStack(setting);
  const plan = await planUninstall(setting, { purge: purge === true });
  const { goes } = plan;
  const stays = plan.stays.map((thing) => ({ ...thing, what: inOwnWords(thing.what) }));
  if (json) {
    process.stdout.write(`${JSON.stringify({ goes, stays }, null, 2)}\n`);
    return;
  }
  const text = [...lines("Goes: ", goes), ...lines("Stays:", stays)].join("");
  (dryRun ? process.stdout : process.stderr).write(text);
  if (dryRun) return;
  const agreed = await consent("Take all of that away?", {
    yes,
    would: "takes all of that away",
  });
  if (!agreed) {
    declined();
    return;
  }
  const { uninstall } = await import("../estate/uninstall.ts");
  await uninstall(setting, plan);
  process.stdout.write("repoman is uninstalled. Repositories and backups are where they were.\n");
}

function lines(word: string, things: readonly Thing[]): string[] {
  return things.map(({ what, place }) => {
    const where = place === undefined ? "" : `  ${printable(place)}`;
    return `${word}  ${printable(what)}${where}\n`;
  });
}
