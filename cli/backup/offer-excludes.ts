// Folders that can be made again from the rest of a repository need not be mirrored. Which of them
// are worth nothing is for the user to say: they are offered, never left out unasked.

import { execa } from "execa";
import type { Registry } from "../../registry/types.ts";
import type { BackupSpec } from "../../rsync/index.ts";
import { ask, canAsk } from "../output/ask.ts";
import { note } from "../output/say.ts";
import type { Setting } from "../setting.ts";

/** Names of such folders, as rsync's patterns: caches, and what package managers and compilers make. */
const USUAL = [
  "node_modules",
  ".venv",
  "__pycache__",
  ".tox",
  ".mypy_cache",
  ".pytest_cache",
  ".gradle",
  ".terraform",
  ".next",
  ".nuxt",
  ".turbo",
  ".parcel-cache",
  ".ccache",
];

const PATIENCE_MS = 10_000;
const DEPTH = 4;

/** Looks for such folders, and offers to leave them out where the registry says nothing yet. */
export async function offerExcludes(
  setting: Setting,
  registry: Registry,
  specs: readonly BackupSpec[],
  { asks }: { asks: boolean },
): Promise<void> {
  // Without a place to look in, find(1) looks where it is started.
  if (specs.length === 0 || specs.some(({ exclude }) => exclude)) return;
  const found = await findFolders(specs.map(({ source }) => source));
  if (found.length === 0) return;
  const patterns = found.map((name) => `${name}/`);
  const line = `exclude = [${patterns.map((pattern) => JSON.stringify(pattern)).join(", ")}]`;
  note("Some folders in the repositories can be made again, and need not be mirrored.");
  if (!asks || !canAsk()) {
    note(`To leave them out, write into [defaults]: ${line}`);
    return;
  }
  const chosen = await ask<string[]>(({ multiselect }, io) =>
    multiselect({
      message: "Leave out (space chooses, Enter goes on; none is fine)",
      options: patterns.map((value) => ({ value })),
      required: false,
      ...io,
    }),
  );
  if (chosen.length === 0) return;
  const [{ setTable }, { editRegistry }] = await Promise.all([
    import("../../registry/edit/edits.ts"),
    import("../../registry/edit/file.ts"),
  ]);
  await editRegistry(registry.file, setTable("defaults", { exclude: chosen }), {
    env: setting.env,
  });
  note(`${registry.file} says so now.`);
}

async function findFolders(repositories: readonly string[]): Promise<string[]> {
  const tests = USUAL.flatMap((name, index) => [...(index > 0 ? ["-o"] : []), "-name", name]);
  const { stdout } = await execa(
    "find",
    [
      ...repositories,
      ...["-maxdepth", String(DEPTH), "-type", "d"],
      ...["(", ...tests, ")", "-prune", "-printf", "%f\\n"],
    ],
    { reject: false, timeout: PATIENCE_MS, stderr: "ignore" },
  );
  const there = new Set(stdout.split("\n"));
  return USUAL.filter((name) => there.has(name));
}
