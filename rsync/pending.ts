import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compare } from "./compare.ts";
import { SCRATCH } from "./disk.ts";
import { endOf } from "./end.ts";
import { repositoryExcludes, ruleFile, WHOLE } from "./excludes.ts";
import { findGitFolders } from "./git.ts";
import { judgeChanges, nothingToCopy } from "./limits.ts";
import { countRepacked } from "./packed.ts";
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
    const rules = join(work, "rules");
    await writeFile(rules, ruleFile(spec.exclude ?? [], excludes.patterns, WHOLE));
    // A copy that is not there yet is compared as an empty folder.
    const destination = site.device === undefined ? join(work, "nothing") : site.destination;
    const found = await compare(
      { source: spec.source, destination, rules, work },
      site.recorded?.abilities ?? { acls: true, xattrs: "all", nanoseconds: true },
      {
        folder: site.disk ? join(site.found.root, SCRATCH, site.disk.id) : site.found.root,
        stallAfter: spec.stallAfter,
        signal: options.signal,
        noDelete,
      },
    );
    const end = endOf(spec, found.outcome);
    if (end.result === "failed") {
      return { ok: false, result: "failed", reason: end.reason ?? "", remedy: end.remedy ?? "" };
    }
    const context = { last, sourceMount: source.mount, allowDeletes: false, noDelete };
    const { counts, deletions } = found;
    let verdict = judgeChanges(spec, { counts, deletions, repacked: 0 }, context);
    if (verdict.refused && site.device !== undefined) {
      const folders = await findGitFolders(spec.source, spec.stallAfter);
      const repacked = await countRepacked(found.objectDeletions, folders, {
        source: spec.source,
        copy: site.destination,
        allowedLoss: spec.maxDeletePercent,
        timeoutMs: spec.stallAfter,
      });
      verdict = judgeChanges(spec, { counts, deletions, repacked }, context);
    }
    const refused = nothingToCopy(spec, counts) ?? verdict.refused;
    return {
      ok: true,
      changes: found.items - deletions,
      files: counts.copied,
      bytes: counts.copiedBytes,
      deletions,
      deleting: found.deleting,
      ...(refused && { refused: { reason: refused.reason, remedy: refused.remedy } }),
      warnings: excludes.warnings,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
