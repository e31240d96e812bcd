import { dirname, join } from "node:path";
import { RegistryFault } from "./fault.ts";
import { type LoadOptions, readRegistry } from "./load.ts";
import { readLibrary } from "./profiles.ts";
import type { Library, Problem, Registry } from "./types.ts";

export interface EstateOptions extends LoadOptions {
  /** Absolute: the profiles that come with repoman. */
  vendorDir: string;
}

/**
 * Reads everything that a user declares: the registry, its overrides, and the library of profiles
 * with the user's `profiles.d` beside the registry.
 *
 * @throws RegistryFault with every problem of every file
 * @throws RegistryMissing where there is no registry
 */
export async function loadEstate(
  options: EstateOptions,
): Promise<{ registry: Registry; library: Library }> {
  const { registry, library, problems } = await readEstate(options);
  if (problems.length > 0) throw new RegistryFault(problems);
  return { registry, library };
}

/** The same, with the problems returned. */
export async function readEstate(
  options: EstateOptions,
): Promise<{ registry: Registry; library: Library; problems: Problem[] }> {
  const { registry, facts, problems } = await readRegistry(options);
  const { library, problems: ofProfiles } = await readLibrary({
    vendorDir: options.vendorDir,
    userDir: join(dirname(registry.file), "profiles.d"),
    facts,
  });
  return { registry, library, problems: [...problems, ...ofProfiles] };
}
