import type { Command } from "commander";
import { EXIT } from "../../host/fault.js";
import { inOwnWords } from "../../host/own-words.js";
import { readContext } from "../context.ts";
import { addExamples, stackOption } from "../definition.ts";

interface Options {
  stack?: string;
  exitCode?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Looks at the health of the estate, and says of whatever is not good why, and what to do: server, " +
        "profiles, containers and their mounts, backup disk and copies, files in the repositories, the " +
        "LAN address, the registry. Nothing is changed.",
    )
    .argument("[names...]", "only what concerns these projects")
    .option("--exit-code", "exit 1 when anything is not good")
    .option("--json", "as JSON")
    .addOption(stackOption())
    .action(status);
  addExamples(command, [
    ["repoman status", "is everything as it should be, and what to do if not"],
    ["repoman status website", "only what concerns this project"],
    ["repoman status --exit-code >/dev/null || notify", "for a timer"],
  ]);
}

async function status(names: string[], { stack, exitCode, json }: Options): Promise<void> {
  const context = await readContext({ stack, tolerant: true });
  const { lookAfter } = await import("../estate/health.ts");
  const findings = (await lookAfter(context, names)).map((finding) =>
    finding.remedy === undefined ? finding : { ...finding, remedy: inOwnWords(finding.remedy) },
  );
  const good = findings.every(({ state }) => state === "good" || state === "note");
  if (json) process.stdout.write(`${JSON.stringify({ good, findings }, null, 2)}\n`);
  else {
    const { renderHealth } = await import("../estate/health-text.ts");
    const width = process.stdout.isTTY ? process.stdout.columns : undefined;
    process.stdout.write(`${renderHealth(findings, width)}\n`);
  }
  if (exitCode && !good) process.exitCode = EXIT.failed;
}
