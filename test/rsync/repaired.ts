import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type BackupSpec, type MirrorOptions, mirror, type RunRecord } from "../../rsync/index.ts";
import { differences } from "./same-tree.ts";
import type { Workbench } from "./workbench.ts";

type Places = Pick<BackupSpec, "source" | "destination" | "backupRoot">;

/**
 * What every bad day ends with: the next run makes the copy equal, byte for byte, and leaves
 * nothing unfinished beside it.
 */
export async function repaired(
  { spec }: Pick<Workbench, "spec">,
  options: MirrorOptions = {},
): Promise<RunRecord> {
  const record = await mirror(spec, options);
  const { result, reason, failures } = record;
  expect({ result, reason, failures }).toEqual({ result: "ok", failures: [] });
  await equal({ spec });
  return record;
}

/** The copy is the repository, and nothing unfinished lies beside it. */
export async function equal({ spec }: { spec: Places }): Promise<void> {
  expect(await differences(spec.source, spec.destination)).toEqual([]);
  const scratch = join(spec.backupRoot, ".repoman");
  for (const marker of readdirSync(scratch)) {
    expect(readdirSync(join(scratch, marker))).toEqual([]);
  }
}
