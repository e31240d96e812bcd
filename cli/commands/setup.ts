import type { Command } from "commander";
import { EXIT, Fault } from "../../host/fault.js";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import { canAsk, consent } from "../output/ask.ts";
import { note, warn } from "../output/say.ts";

interface Options {
  nonInteractive?: boolean;
  lanInterface?: string;
  reset?: boolean;
  yes?: boolean;
  stack?: string;
}

export function define(command: Command): void {
  command
    .description(
      "Looks at this host (Incus, your user, its LAN address, where repositories and backups are), " +
        "shows what is to be changed, and writes the registry and the stack's config. An older " +
        "registry is brought to today's schema, a copy kept beside it. Running it again changes " +
        "nothing unless the host has changed.",
    )
    .option("--non-interactive", "ask nothing, and take what is found or usual")
    .option("--lan-interface <name>", "the interface whose address others reach this host by")
    .option("--reset", "write the registry's settings anew, from what is found; never its projects")
    .addOption(stackOption({ makes: true }))
    .addOption(yesOption("the same as --non-interactive"))
    .action(act);
  addExamples(command, [
    ["repoman setup", "look, ask, show, write"],
    ["repoman setup --non-interactive", "from a script"],
    ["repoman setup --lan-interface br0", "when the LAN address has changed, or was another's"],
    ["repoman setup --reset", "the settings anew, a copy of the old file kept"],
  ]);
}

async function act(options: Options): Promise<void> {
  const { stack, lanInterface, reset = false } = options;
  const [{ findSetting }, { dropIgnoredVariables }, { carryOut, planSetup }, words] =
    await Promise.all([
      import("../setting.ts"),
      import("../preflight.ts"),
      import("../setup/carry-out.ts"),
      import("../setup/text.ts"),
    ]);
  const setting = findSetting({ stack });
  dropIgnoredVariables(setting.env);
  const yes = options.yes || options.nonInteractive;
  const guided = !yes && canAsk();
  const plan = await planSetup(setting, { lanInterface, reset, guided });
  note(words.describeSetup(plan));
  const trouble = words.diskTrouble(plan);
  if (trouble !== undefined) warn(trouble);
  if (plan.changes.length > 0) {
    await agree(yes);
    await carryOut(plan);
    const { journal } = await import("../journal.ts");
    await journal(setting, { command: "setup", result: "ok", exitCode: EXIT.ok });
  }
  const done = plan.changes.length > 0 ? "Set up." : "Set up already; nothing was changed.";
  process.stdout.write(`${done}\n${words.afterSetup(plan)}\n`);
}

/** Without these changes nothing else works, so that whoever says no gets no half of it. */
async function agree(yes: boolean | undefined): Promise<void> {
  if (!yes && !canAsk()) {
    throw new Fault("set-up would make these changes, and there is no terminal to agree at", {
      remedy: "Add --non-interactive to have them made.",
      exitCode: EXIT.usage,
    });
  }
  const would = "changes what is listed above";
  if (await consent("Make these changes?", { yes, would, initial: true })) return;
  throw new Fault("nothing was set up: the changes were not agreed to", {
    remedy: "Run it again when they are; nothing was changed.",
  });
}
