// What a run with targets leaves out of them. Pulumi refuses a run in which something is to be
// deleted that lies below a target, or needs one, and is no target itself: after `remove`, the
// profile that only that project had would stop every `up web`. What is on the way to the targets
// (upTargets) has to be among them only while it is not there.

import type { Deployment } from "./backend.ts";
import { ESTATE, INCUS_PROJECT, LIBRARY, profileTarget } from "./targets.ts";

/** Matches no resource: a run whose targets are all left out must not become one without targets. */
const NOTHING = "**::no-resource-has-this-type::**";

const COMPONENTS: Readonly<Record<string, string>> = {
  [ESTATE]: "repoman:index:Estate",
  [LIBRARY]: "repoman:index:ProfileLibrary",
};

/**
 * Pure.
 *
 * @param flags of Pulumi's, among them `--target` with a pattern each
 * @param deployment the stack's state; undefined where it has none
 * @param declared names of all projects of the registry
 * @returns the same flags without the targets that stand already and are only on the way: the
 *   components always; the Incus project and profiles while a container that needs them is leaving
 */
export function withoutStanding(
  flags: readonly string[],
  deployment: Deployment | undefined,
  declared: readonly string[],
): string[] {
  const resources = deployment?.resources ?? [];
  const leaving = resources.filter(
    ({ type, urn }) => type.endsWith("/repoman:RepoContainer") && !declared.includes(nameOf(urn)),
  );
  const needed = new Set(leaving.flatMap(({ inputs }) => inputs?.profiles ?? []));
  const stands = (target: string): boolean => {
    const component = COMPONENTS[target];
    if (component !== undefined) return resources.some(({ type }) => type === component);
    if (leaving.length === 0) return false;
    return resources.some(({ type, urn }) => {
      if (type.endsWith("/repoman:IncusProject")) return target === INCUS_PROJECT;
      const name = nameOf(urn);
      return (
        type.endsWith("/repoman:IncusProfile") && needed.has(name) && target === profileTarget(name)
      );
    });
  };
  const kept: string[] = [];
  let left = 0;
  for (let index = 0; index < flags.length; index++) {
    const flag = flags[index] ?? "";
    if (flag === "--target" && stands(flags[index + 1] ?? "")) {
      left++;
      index++;
    } else kept.push(flag);
  }
  return left > 0 && !kept.includes("--target") ? [...kept, "--target", NOTHING] : kept;
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
