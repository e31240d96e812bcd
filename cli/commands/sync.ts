import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { EXIT } from "../../host/fault.js";
import { type BackupSpec, mirror, pending, type RunRecord } from "../../rsync/index.ts";
import { readCopies } from "../backup/copies.ts";
import { note } from "../output/say.ts";
import { Status } from "../output/status.ts";
import { bytes } from "../output/units.ts";
import { addExamples } from "../program.ts";

interface Options {
  stack?: string;
  dryRun?: boolean;
  delete: boolean;
  allowDeletes?: boolean;
  json?: boolean;
}

/** What became of one repository, as `--json` prints it. */
interface Line {
  name: string;
  result: string;
  reason?: string;
  remedy?: string;
  files?: number;
  bytes?: number;
  deletions?: number;
  seconds?: number;
}

export function define(command: Command): void {
  command
    .description(
      "Mirrors repositories to the backup disk now, by the same rules as `up`: the disk must be the " +
        "one that it was, the repository must not have shrunk, and no more is deleted than the limits " +
        "allow.",
    )
    .argument("[names...]", "only these projects")
    .option("--stack <name>", "another stack than this host's")
    .option("-n, --dry-run", "say what would be copied and deleted, and do nothing")
    .option("--no-delete", "keep on the copy what the repository no longer has")
    .option("--allow-deletes", "go beyond the limits on deletions, having shown them")
    .option("--json", "as JSON")
    .action(sync);
  addExamples(command, [
    ["repoman sync", "all repositories"],
    ["repoman sync website --dry-run", "what a mirror of this one would do"],
    ["repoman sync website --allow-deletes", "after a clean-up that went beyond the limits"],
  ]);
}

async function sync(names: string[], options: Options): Promise<void> {
  const { specs } = await readCopies(names, { stack: options.stack, make: true });
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)));
  }
  const status = new Status(process.stderr);
  const lines: Line[] = [];
  const queue = [...specs];
  const worker = async () => {
    for (let spec = queue.shift(); spec && !stopped.signal.aborted; spec = queue.shift()) {
      const line = options.dryRun
        ? await foreseen(spec)
        : await mirrored(spec, options, status, stopped.signal);
      status.done(spec.name);
      if (!options.json) status.print(describe(line));
      lines.push(line);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  status.end();
  if (options.json) process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`);
  const good = new Set(["ok", "ok-vanished", "pending"]);
  if (stopped.signal.aborted || lines.some(({ result }) => !good.has(result))) {
    process.exitCode = EXIT.failed;
  }
}

async function mirrored(
  spec: BackupSpec,
  { delete: deletes, allowDeletes }: Options,
  status: Status,
  signal: AbortSignal,
): Promise<Line> {
  const { name } = spec;
  if (allowDeletes) await showDeletions(spec);
  status.set(name, "checking");
  const record = await mirror(spec, {
    signal,
    noDelete: !deletes,
    allowDeletes,
    onProgress: ({ phase, bytes: copied, totalBytes, rate }) => {
      const share = totalBytes ? ` of ${bytes(totalBytes)}` : "";
      const speed = rate ? `, ${bytes(rate)}/s` : "";
      status.set(name, phase === "copying" ? `${bytes(copied)}${share}${speed}` : phase);
    },
  });
  return lineOf(record);
}

function lineOf({ name, result, reason, remedy, counts, seconds }: RunRecord): Line {
  return {
    name,
    result,
    ...(reason === undefined ? {} : { reason }),
    ...(remedy === undefined ? {} : { remedy }),
    files: counts.copied,
    bytes: counts.copiedBytes,
    deletions: counts.deleted,
    seconds,
  };
}

async function foreseen(spec: BackupSpec): Promise<Line> {
  const { name } = spec;
  const found = await pending(spec);
  if (!found.ok) return { name, result: found.result, reason: found.reason, remedy: found.remedy };
  const { files, bytes: size, deletions, refused } = found;
  return {
    name,
    result: refused ? "refused" : "pending",
    files,
    bytes: size,
    deletions,
    ...refused,
  };
}

/** Whoever goes beyond the limits sees first what goes. */
async function showDeletions(spec: BackupSpec): Promise<void> {
  const found = await pending(spec);
  if (!found.ok || found.deletions === 0) return;
  const more = found.deletions - found.deleting.length;
  const list = [...found.deleting, ...(more > 0 ? [`and ${more} more`] : [])];
  note(`${spec.name}: deleting ${found.deletions} on the copy:\n  ${list.join("\n  ")}`);
}

function describe({
  name,
  result,
  reason,
  remedy,
  files = 0,
  bytes: size = 0,
  deletions = 0,
}: Line) {
  const facts = `${files} ${files === 1 ? "file" : "files"}, ${bytes(size)}, ${deletions} deleted`;
  const why = reason === undefined ? "" : `: ${reason}`;
  const how = remedy === undefined ? "" : `\n  ${remedy}`;
  return `${name}: ${result}${result === "refused" || result === "unreachable" ? "" : ` (${facts})`}${why}${how}`;
}
