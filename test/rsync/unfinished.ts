import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type MirrorOptions, mirror } from "../../rsync/index.ts";
import { differences } from "./same-tree.ts";
import type { Workbench } from "./workbench.ts";

export const MB = Buffer.alloc(1 << 20, "0123456789abcdef");

/** Some large files and many small ones. */
export function fill(folder: string, megabytes = 8, files = 300): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < megabytes; i++) writeFileSync(join(folder, `big-${i}`), MB);
  for (let i = 0; i < files; i++) writeFileSync(join(folder, `small-${i}`), `small ${i}`);
}

/** The next run makes the copy equal, and leaves nothing unfinished beside it. */
export async function repaired({ spec }: Workbench, options: MirrorOptions = {}): Promise<void> {
  const record = await mirror(spec, options);
  expect(record).toMatchObject({ result: "ok" });
  expect(await differences(spec.source, spec.destination)).toEqual([]);
  const [marker] = readdirSync(join(spec.backupRoot, ".repoman"));
  // Nothing unfinished is left beside the copy.
  expect(readdirSync(join(spec.backupRoot, ".repoman", marker ?? ""))).toEqual([]);
}
