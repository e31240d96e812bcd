// Which resources a command that names projects is limited to. Pulumi refuses a target whose
// parent or dependency does not exist yet and is not a target itself, so that `up alpha` on an
// empty host has to name all of the way from the estate down. What is there already and as
// declared is left as it is.
//
// In a pattern `*` stops at a colon and `**` does not; one that matches nothing is no error.

export const ESTATE = "**repoman:index:Estate::**";
export const LIBRARY = "**repoman:index:ProfileLibrary::**";
export const INCUS_PROJECT = "**dynamic/repoman:IncusProject::**";

/** @param profiles the profiles that the projects use */
export function upTargets(names: readonly string[], profiles: readonly string[]): string[] {
  return [
    ESTATE,
    LIBRARY,
    INCUS_PROJECT,
    ...[...new Set(profiles)].map(profileTarget),
    ...ownTargets(names),
  ];
}

/** Profiles alone, and the way to them from the estate down. */
export function profileTargets(names: readonly string[]): string[] {
  return [ESTATE, LIBRARY, ...names.map(profileTarget)];
}

export function profileTarget(name: string): string {
  return `**dynamic/repoman:IncusProfile::${name}`;
}

/** Only what belongs to the projects themselves: what `destroy` removes and `refresh` reads. */
export function ownTargets(names: readonly string[]): string[] {
  return names.flatMap((name) =>
    // The component, the container, the backup and whatever else comes to be made for a project.
    [`**repoman:index:Workspace::${name}`, `**repoman:index:Workspace$**::${name}`],
  );
}

export function targetFlags(targets: readonly string[]): string[] {
  return targets.flatMap((target) => ["--target", target]);
}
