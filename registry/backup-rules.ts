import * as z from "zod";
import type { Loose } from "./check.ts";
import { string } from "./field.ts";
import { excludePattern } from "./rules.ts";
import type { BackupRules } from "./types.ts";

/*
 * What a backup may do, in [defaults] for every project and in a project for itself.
 */

/** What holds where nobody says anything; the engine's own values, which a test compares. */
export const BUILT_IN_RULES = {
  max_delete: 1000,
  max_delete_percent: 25,
  min_files_percent: 50,
  min_bytes_percent: 10,
} as const;

const whole = (least: number, most: number) =>
  z.number().check((context) => {
    const { value } = context;
    if (Number.isInteger(value) && value >= least && value <= most) return;
    context.issues.push({
      code: "custom",
      input: value,
      message: `is no whole number from ${least} to ${most}`,
      params: { remedy: `write a whole number from ${least} to ${most}, without quotes` },
    });
  });

/** The fields, as both tables have them. */
export const backupRules = {
  max_delete: whole(0, 1_000_000_000)
    .optional()
    .meta({ default: BUILT_IN_RULES.max_delete, examples: [200] })
    .describe("Most files and folders that one mirror run may delete on the copy."),
  max_delete_percent: whole(0, 100)
    .optional()
    .meta({ default: BUILT_IN_RULES.max_delete_percent, examples: [50] })
    .describe("Most of the copy's files that one mirror run may delete, in percent."),
  min_files_percent: whole(0, 100)
    .optional()
    .meta({ default: BUILT_IN_RULES.min_files_percent, examples: [80] })
    .describe(
      "Fewest files that a repository may have, in percent of its last good mirror run; with fewer nothing is mirrored.",
    ),
  min_bytes_percent: whole(0, 100)
    .optional()
    .meta({ default: BUILT_IN_RULES.min_bytes_percent, examples: [50] })
    .describe("Fewest bytes that it may have, in percent of its last good mirror run."),
  exclude: z
    .array(string(excludePattern))
    .optional()
    .meta({ examples: [["node_modules/", "/build/"]] })
    .describe(
      'What is not mirrored, as rsync\'s exclude patterns: "node_modules/", "/build/", "*.o". What is on the copy already stays there.',
    ),
};

/** A table that has these fields, as it is written. */
export type BackupRulesTable = Loose<z.infer<z.ZodObject<typeof backupRules>>>;

/** The rules that are written; a project's own take the place of the defaults', one by one. */
export function resolveBackupRules(
  ...layers: readonly (BackupRulesTable | undefined)[]
): BackupRules {
  const last = <K extends keyof BackupRulesTable>(key: K): BackupRulesTable[K] =>
    layers.findLast((layer) => layer?.[key] !== undefined)?.[key];
  const maxDelete = last("max_delete");
  const maxDeletePercent = last("max_delete_percent");
  const minFilesPercent = last("min_files_percent");
  const minBytesPercent = last("min_bytes_percent");
  const exclude = last("exclude")?.filter((pattern) => pattern !== undefined);
  return {
    ...(maxDelete !== undefined && { maxDelete }),
    ...(maxDeletePercent !== undefined && { maxDeletePercent }),
    ...(minFilesPercent !== undefined && { minFilesPercent }),
    ...(minBytesPercent !== undefined && { minBytesPercent }),
    ...(exclude !== undefined && exclude.length > 0 && { exclude }),
  };
}
