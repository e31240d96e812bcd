import { EXIT, Fault } from "../../host/fault.js";
import { inOwnWords } from "../../host/own-words.js";
import { count, printable } from "../../registry/text.ts";
import type { BackupSpec } from "../../rsync/index.ts";
import { type Verification, verify } from "../../rsync/verify.ts";
import { Bars } from "../output/bars.ts";
import { colorsFor } from "../output/say.ts";
import { bytes, took } from "../output/units.ts";
import { readCopies } from "./copies.ts";
import { exitCodeFor, exitCodeOfAll, stopSignal } from "./trouble.ts";

interface Options {
  sample: string;
  full?: boolean;
  stack?: string;
  json?: boolean;
}

/** How many differences are named for people. */
const NAMED = 20;

/** `repoman backup verify` */
export async function verifyAll(names: readonly string[], options: Options): Promise<void> {
  const sample = options.full ? 100 : shareIn(options.sample);
  const { specs } = await readCopies(names, { stack: options.stack });
  const signal = stopSignal();
  const bars = new Bars(specs.length);
  const all: object[] = [];
  const codes: number[] = [];
  try {
    // One after the other: what is read is limited by the disk.
    for (const spec of specs) {
      if (signal.aborted) break;
      const found = await one(spec, sample, bars, signal);
      codes.push(exitCodeOf(found));
      bars.done(spec.name, found.ok ? found.bytes * 2 : 0);
      if (options.json) {
        const { ok, ...facts } = found;
        all.push({ name: spec.name, result: resultOf(found), ...facts });
      } else bars.print(describe(spec.name, found));
    }
  } finally {
    bars.end();
  }
  if (options.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  process.exitCode = signal.aborted ? EXIT.failed : exitCodeOfAll(codes);
}

async function one(
  spec: BackupSpec,
  sample: number,
  bars: Bars,
  signal: AbortSignal,
): Promise<Verification> {
  bars.set(spec.name, { phase: "checking" });
  try {
    return await verify(spec, {
      sample,
      signal,
      onProgress: ({ phase, bytes: read, totalBytes }) =>
        bars.set(spec.name, phase === "verifying" ? { phase, bytes: read, totalBytes } : { phase }),
    });
  } catch (error) {
    if (!(error instanceof Fault) || error.exitCode === EXIT.usage) throw error;
    return { ok: false, result: "failed", reason: error.what, remedy: error.remedy ?? "" };
  }
}

function resultOf(found: Verification): string {
  if (!found.ok) return found.result;
  return found.different > 0 || found.unread.length > 0 ? "different" : "ok";
}

function exitCodeOf(found: Verification): number {
  return exitCodeFor(resultOf(found));
}

/** @throws {Fault} usage */
function shareIn(text: string): number {
  const share = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim())?.[1];
  if (share !== undefined && Number(share) > 0 && Number(share) <= 100) return Number(share);
  throw new Fault(`--sample ${printable(text)} is no share`, {
    remedy: "Such as --sample 5%; --full reads everything.",
    exitCode: EXIT.usage,
  });
}

const KINDS = {
  missing: "missing on the copy",
  extra: "not in the repository",
  content: "other content",
  attributes: "other mode, owner, time or attributes",
};

function describe(name: string, found: Verification): string {
  const { green, red, yellow } = colorsFor(process.stdout);
  if (!found.ok) {
    const lines = [`${name}: ${red(found.result)}: ${printable(found.reason)}`];
    if (found.remedy) lines.push(`  ${printable(inOwnWords(found.remedy))}`);
    return lines.join("\n");
  }
  const { files, ofFiles, ofBytes, different, changedSince, unread, differences } = found;
  const share = ofBytes > 0 ? Math.round((found.bytes * 100) / ofBytes) : 100;
  const read =
    `read ${bytes(found.bytes)} of ${bytes(ofBytes)} on each side (${share} %), ` +
    `${files} of ${count(ofFiles, "file")}, in ${took(found.seconds)}`;
  const good = resultOf(found) === "ok";
  const lines = [`${name}: ${good ? green("ok") : red("different")} (${read})`];
  if (changedSince > 0) {
    lines.push(
      `  ${changedSince} changed in the repository since the last run; a sync copies them`,
    );
  }
  for (const each of differences.slice(0, NAMED)) {
    lines.push(`  ${red(KINDS[each.kind])}: ${printable(each.name)}`);
  }
  if (different > Math.min(NAMED, differences.length)) {
    lines.push(`  … and ${different - Math.min(NAMED, differences.length)} more`);
  }
  for (const line of unread.slice(0, NAMED)) lines.push(`  ${red("unread")}: ${printable(line)}`);
  if (different > 0) {
    lines.push(inOwnWords(`  To copy it anew: repoman sync ${name} --checksum`));
  }
  for (const warning of found.warnings) {
    lines.push(`  ${yellow("warning:")} ${printable(warning)}`);
  }
  return lines.join("\n");
}
