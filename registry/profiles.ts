import { join } from "node:path";
import { RegistryFault } from "./fault.ts";
import { type Finding, Findings } from "./findings.ts";
import { list } from "./overrides.ts";
import { readText } from "./read.ts";
import type { Facts } from "./substitute.ts";
import { profileOf, readTemplate } from "./template.ts";
import { quote } from "./text.ts";
import type { Library, Problem, Template } from "./types.ts";

/** The profiles that come with repoman. */
export const VENDOR_PROFILES = join(import.meta.dirname, "..", "profiles");
const MOST_OF_PROFILE = 1024 * 1024;

export interface LibraryOptions {
  /** Absolute: the profiles that come with repoman. */
  vendorDir: string;
  /** Absolute: the user's, `profiles.d` beside the registry, if they count. It need not exist. */
  userDir?: string | undefined;
  facts: Facts;
}

/**
 * Reads the library of profiles: those that come with repoman, and the user's, which take the place
 * of others of their name.
 *
 * @throws RegistryFault with every problem of every file
 */
export async function loadLibrary(options: LibraryOptions): Promise<Library> {
  const { library, problems } = await readLibrary(options);
  if (problems.length > 0) throw new RegistryFault(problems);
  return library;
}

/** The same, with the problems returned. */
export async function readLibrary(
  options: LibraryOptions,
): Promise<{ library: Library; problems: Problem[] }> {
  const templates = new Map<string, Template>();
  const faults = new Map<string, Problem>();
  const warnings = new Map<string, Problem[]>();
  const problems: Problem[] = [];
  const findings = new Findings();
  const sources = [
    { source: "vendor" as const, folder: options.vendorDir },
    { source: "user" as const, folder: options.userDir },
  ];
  for (const { source, folder } of sources) {
    if (folder === undefined) continue;
    const seen = new Map<string, string>();
    const names = [
      ...(await list(folder, ".yml", findings)),
      ...(await list(folder, ".yaml", findings)),
    ];
    const readings = await Promise.all(
      names.map((name) => readText(join(folder, name), { most: MOST_OF_PROFILE, links: true })),
    );
    for (const [index, base] of names.entries()) {
      const file = join(folder, base);
      const name = profileOf(file);
      const own = new Findings();
      const other = seen.get(name);
      seen.set(name, base);
      const reading = readings[index] ?? { missing: true };
      if (other) {
        const what = `there is ${quote(other)} beside it, for the same profile`;
        problems.push({ file, what, remedy: "remove one of the two" });
      } else if ("text" in reading) {
        const { template, unusable } = readTemplate(file, reading.text, source, options.facts, own);
        const [fault] = await located(unusable);
        // A user's file hides the other even where it cannot be used.
        const shadows = source === "user" && (templates.has(name) || faults.has(name));
        templates.delete(name);
        faults.delete(name);
        if (fault) faults.set(name, fault);
        else templates.set(name, { ...template, shadows });
        warnings.set(name, await own.locateWarnings());
        problems.push(...(await own.locate([file])));
      } else {
        const what = "refused" in reading ? reading.refused : "is a link that leads nowhere";
        problems.push({ file, what, remedy: "mend the file, or remove it" });
      }
    }
  }
  problems.unshift(...(await findings.locate([])));
  const byName = new Map([...templates].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { library: Object.assign(byName, { faults, warnings }), problems };
}

async function located(unusable: readonly Finding[]): Promise<Problem[]> {
  const findings = new Findings();
  for (const finding of unusable) findings.warn(finding);
  return findings.locateWarnings();
}
