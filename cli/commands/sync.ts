import type { Command } from "commander";
import { EXIT } from "../../host/fault.js";
import { addExamples, stackOption, yesOption } from "../definition.ts";
import { note } from "../output/say.ts";

interface Options {
  stack?: string;
  dryRun?: boolean;
  delete: boolean;
  allowDeletes?: boolean;
  checksum?: boolean;
  yes?: boolean;
  quiet?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Mirrors repositories to the backup disk now, by the same rules as `up`: the disk must be the " +
        "one that it was, the repository must not have shrunk, and no more is deleted than the limits " +
        "allow (max_delete, max_delete_percent). Exits 3 where the disk is out of reach, 4 where " +
        "another run is at work.",
    )
    .argument("[names...]", "only these projects")
    .addOption(stackOption())
    .option("-n, --dry-run", "say what would be copied and deleted, and do nothing")
    .option("--no-delete", "keep on the copy what the repository no longer has")
    .option(
      "--allow-deletes",
      "go beyond the limits, having shown what would be deleted and why they hold it",
    )
    .option("--checksum", "compare contents, not sizes and times: mends what rotted on the disk")
    .addOption(yesOption("do not ask before going beyond the limits"))
    .option("-q, --quiet", "print only what is not good, as a timer wants it")
    .option("--json", "as JSON")
    .action(sync);
  addExamples(command, [
    ["repoman sync", "all repositories"],
    ["repoman sync --quiet", "for a timer: a line only where something is not good"],
    ["repoman sync website --dry-run", "what a mirror of this one would do"],
    ["repoman sync website --allow-deletes", "after a clean-up that went beyond the limits"],
  ]);
}

async function sync(names: string[], options: Options): Promise<void> {
  const began = performance.now();
  const { readCopies } = await import("../backup/copies.ts");
  const { setting, specs } = await readCopies(names, {
    stack: options.stack,
    make: !options.dryRun,
  });
  let agreed: ReadonlyMap<string, number> | undefined;
  if (options.allowDeletes && !options.dryRun) {
    const { showBeyond } = await import("../backup/beyond-limits.ts");
    const beyond = await showBeyond(specs, {
      noDelete: !options.delete,
      checksum: options.checksum,
    });
    const { consent, declined } = await import("../output/ask.ts");
    const would = "goes beyond the limits that guard the copies";
    if (beyond.asks && !(await consent("Mirror all the same?", { yes: options.yes, would }))) {
      return declined();
    }
    agreed = beyond.deletions;
  }
  const { exitCodeOf, syncAll } = await import("../backup/sync.ts");
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)));
  }
  const lines = await syncAll(
    specs,
    { ...options, agreed },
    {
      signal: stopped.signal,
      print: options.json ? "none" : options.quiet ? "trouble" : "all",
    },
  );
  if (options.json) process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`);
  else if (lines.length > 1 && !options.quiet) note(summary(lines.map(({ result }) => result)));
  process.exitCode = stopped.signal.aborted ? EXIT.failed : exitCodeOf(lines);
  if (options.dryRun || specs.length === 0) return;
  const { journal, resultOf } = await import("../journal.ts");
  await journal(setting, {
    command: "sync",
    names: specs.map(({ name }) => name),
    result: stopped.signal.aborted ? "stopped" : resultOf(Number(process.exitCode)),
    exitCode: Number(process.exitCode),
    began,
    details: {
      files: lines.reduce((sum, { files = 0 }) => sum + files, 0),
      bytes: lines.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
      deletions: lines.reduce((sum, { deletions = 0 }) => sum + deletions, 0),
      ...(lines.some(({ result }) => !result.startsWith("ok")) && {
        trouble: lines.flatMap(({ name, result }) =>
          result.startsWith("ok") ? [] : [`${name}: ${result}`],
        ),
      }),
    },
  });
}

/** `48 ok, 2 refused`. */
function summary(results: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const result of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  return [...counts].map(([result, count]) => `${count} ${result}`).join(", ");
}
