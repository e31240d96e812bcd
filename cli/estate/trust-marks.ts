import { basename, dirname, join } from "node:path";
import { paths } from "../../host/paths.js";
import { UNTRUSTED_FILES } from "../../registry/trust.ts";
import type { Problem } from "../../registry/types.ts";

/** What is to be known of the files by which repositories ask for something, by project. */
export function trustMarks(
  warnings: readonly Problem[],
  env: NodeJS.ProcessEnv,
): Map<string, Problem> {
  const kept = join(paths(env).dataDir, "trusted");
  const untrusted = new Set<string>(UNTRUSTED_FILES);
  return new Map(
    warnings.flatMap((warning) => {
      const { project, file } = warning;
      const about = untrusted.has(basename(file)) || dirname(file) === kept;
      return about && project !== undefined ? [[project, warning] as const] : [];
    }),
  );
}
