// Folders that can be made again from the rest of a repository need not be mirrored. Which of them
// are worth nothing is for the user to say: they are offered, never left out unasked.

import { ask as askChild } from "../../host/child.ts";
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
  if (registry.defaults.exclude || specs.some(({ exclude }) => exclude)) return;
  const patterns = await remakable(specs.map(({ source }) => source));
  if (patterns.length === 0) return;
  if (!asks || !canAsk()) {
    const line = `exclude = [${patterns.map((pattern) => JSON.stringify(pattern)).join(", ")}]`;
    note(WHY);
    note(`To leave them out, write into [defaults]: ${line}`);
    return;
  }
  const chosen = await askExcludes(patterns);
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

const WHY = "Some folders in the repositories can be made again, and need not be mirrored.";

/** Asks which of them to leave out; none is an answer, and nothing is asked where there are none. */
export async function askExcludes(patterns: readonly string[]): Promise<string[]> {
  if (patterns.length === 0) return [];
  note(WHY);
  return ask<string[]>(({ multiselect }, io) =>
    multiselect({
      message: "Leave out (space chooses, Enter goes on; none is fine)",
      options: patterns.map((value) => ({ value })),
      required: false,
      ...io,
    }),
  );
}

/**
 * The patterns of those folders that are in some repositories, as far as they can be seen in a
 * little while: a file system may hang.
 */
export async function remakable(repositories: readonly string[]): Promise<string[]> {
  // Without a place to look in, find(1) looks where it is started.
  if (repositories.length === 0) return [];
  const tests = USUAL.flatMap((name, index) => [...(index > 0 ? ["-o"] : []), "-name", name]);
  const { stdout } = await askChild(
    [
      "find",
      ...repositories,
      ...["-maxdepth", String(DEPTH), "-type", "d"],
      ...["(", ...tests, ")", "-prune", "-printf", "%f\\n"],
    ],
    { timeoutMs: PATIENCE_MS },
  );
  const there = new Set(stdout.toString().split("\n"));
  return USUAL.filter((name) => there.has(name)).map((name) => `${name}/`);
}
