// `config validate`: everything that is wrong with what the user declares, and what to know of it.

import { VENDOR_PROFILES } from "../../registry/profiles.ts";
import type { Problem } from "../../registry/types.ts";
import type { Place } from "./place.ts";

export interface Validation {
  file: string;
  /** The schema that the file is written in. */
  schema: number;
  valid: boolean;
  projects: number;
  problems: Problem[];
  warnings: Problem[];
}

/**
 * Reads registry, overrides and profiles.
 *
 * @throws RegistryMissing
 */
export async function validate({ setting, file }: Place): Promise<Validation> {
  const { readEstate } = await import("../../registry/estate.ts");
  const { registry, library, problems } = await readEstate({
    file,
    env: setting.env,
    vendorDir: VENDOR_PROFILES,
  });
  return {
    file,
    schema: registry.schema,
    valid: problems.length === 0,
    projects: registry.projects.length,
    problems,
    warnings: [
      ...registry.warnings,
      ...[...library.faults.values()],
      ...[...library.warnings.values()].flat(),
    ],
  };
}
