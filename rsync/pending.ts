import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { decide } from "./decide.ts";
import { SCRATCH } from "./disk.ts";
import { cameToItsEnd } from "./end.ts";
import { repositoryExcludes } from "./excludes.ts";
import { findSite, type Site } from "./probe.ts";
import { readRecord } from "./record.ts";
import { unfinishedIn } from "./scratch.ts";
import { inspectSource } from "./source.ts";
import { checkSpec } from "./spec.ts";
import type { BackupSpec, MirrorOptions, Pending } from "./types.ts";

/**
 * What a run would do now, and whether it would refuse. Changes neither repository nor disk.
 *
 * @param options as for `mirror`
 */
export async function pending(
  given: BackupSpec,
  options: Pick<MirrorOptions, "signal" | "noDelete" | "allowDeletes" | "checksum"> = {},
): Promise<Pending> {
  const spec = checkSpec(given);
  const record = await readRecord(spec.recordsDir, spec.name);
  const last = record?.source === spec.source ? record.lastGood : undefined;
  const [site, source] = await Promise.all([
    findSite(spec),
    inspectSource(spec, last?.sourceMount),
  ]);
  if (!site.ok) return site;
  if (!source.ok) return source;
  const work = join(spec.recordsDir, ".run", "pending", randomBytes(8).toString("hex"));
  try {
    const excludes = await repositoryExcludes(spec);
    const ask = (at: Site, folder: string) =>
      decide({
        spec,
        excludes,
        abilities: at.recorded?.abilities ?? { acls: true, xattrs: "all", nanoseconds: true },
        work,
        copy: at.device === undefined ? undefined : at.destination,
        ...(at.disk && { unfinished: unfinishedIn(at.disk) }),
        run: { folder, stallAfter: spec.stallAfter, signal: options.signal },
        last,
        sourceMount: source.mount,
        allowDeletes: options.allowDeletes ?? false,
        noDelete: options.noDelete ?? false,
        brokeOff: !cameToItsEnd(record?.result),
        checksum: options.checksum ?? false,
      });
    const { root } = site.found;
    let decision = await ask(site, site.disk ? join(root, SCRATCH, site.disk.id) : root);
    if (decision.found.outcome.noFolder) {
      // Gone with the disk, or it alone; that is for a run to make anew.
      const again = await findSite(spec, { fresh: true });
      if (!again.ok) return again;
      decision = await ask(again, again.found.root);
    }
    const { found, end, verdict } = decision;
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
