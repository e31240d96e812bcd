import type { Command } from "commander";

/** Called by `npm start` at its end; hidden from the overview. */
export function define(command: Command): void {
  command
    .command("summary")
    .description("what the demo estate has, and three commands to try next")
    .option("-s, --stack <name>", "its stack", "demo")
    .action(async ({ stack }: { stack: string }) => {
      const [{ findSetting }, { readOutputs }, { summary }, { nextSteps, renderSteps }] =
        await Promise.all([
          import("../setting.ts"),
          import("../estate/outputs.ts"),
          import("../estate/summary.ts"),
          import("../estate/next-steps.ts"),
        ]);
      const setting = findSetting({ stack });
      const outputs = await readOutputs(setting);
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const steps = await nextSteps(setting, outputs);
      const next = steps.length > 0 ? `\nTry next:\n\n${renderSteps(steps)}\n` : "";
      process.stdout.write(`${summary(outputs, width)}\n${next}`);
    });
}
