import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { decide } from "./decide.ts";
import { SCRATCH } from "./disk.ts";
import { repositoryExcludes } from "./excludes.ts";
import { findSite } from "./probe.ts";
import { readRecord } from "./record.ts";
import { inspectSource } from "./source.ts";
import { checkSpec } from "./spec.ts";
import type { BackupSpec, Pending } from "./types.ts";

/**
 * What a run would do now, and whether it would refuse. Changes neither repository nor disk.
 *
 * @param options.noDelete as for `mirror`
 */
export async function pending(
  given: BackupSpec,
  options: { signal?: AbortSignal; noDelete?: boolean } = {},
): Promise<Pending> {
  const spec = checkSpec(given);
  const noDelete = options.noDelete ?? false;
  const record = await readRecord(spec.recordsDir, spec.name);
  const last = record?.source === spec.source ? record.lastGood : undefined;
  const [site, source] = await Promise.all([
    findSite(spec),
    inspectSource(spec, last?.sourceMount),
  ]);
  if (!site.ok) return site;
  if (!source.ok) return source;
  const work = join(spec.recordsDir, ".run", "pending", randomBytes(8).toString("hex"));
  await mkdir(join(work, "nothing"), { recursive: true, mode: 0o700 });
  try {
    const excludes = await repositoryExcludes(spec);
    // A copy that is not there yet is compared as an empty folder.
    const copy = site.device === undefined ? join(work, "nothing") : site.destination;
    const { found, end, verdict } = await decide({
      spec,
      excludes,
      abilities: site.recorded?.abilities ?? { acls: true, xattrs: "all", nanoseconds: true },
      work,
      destination: copy,
      copy,
      run: {
        folder: site.disk ? join(site.found.root, SCRATCH, site.disk.id) : site.found.root,
        stallAfter: spec.stallAfter,
        signal: options.signal,
      },
      last,
      sourceMount: source.mount,
      allowDeletes: false,
      noDelete,
    });
    const { reason = "", remedy = "" } = end;
    if (end.result === "failed") return { ok: false, result: "failed", reason, remedy };
    return {
      ok: true,
      changes: found.items - found.deletions,
      files: found.counts.copied,
      bytes: found.counts.copiedBytes,
      deletions: found.deletions,
      deleting: found.deleting,
      ...(verdict.refused && { refused: verdict.refused }),
      warnings: excludes.warnings,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
