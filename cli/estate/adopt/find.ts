import { EXIT, Fault } from "../../../host/fault.js";
import type { Instance } from "../../../incus/types.ts";
import { MARK } from "../../../providers/ownership.ts";
import { nearest } from "../../../registry/text.ts";
import type { Registry } from "../../../registry/types.ts";

export interface Search {
  /** Of the whole server. */
  instances: readonly Instance[];
  registry: Registry;
  /** `--from-project` */
  fromProject?: string | undefined;
}

/**
 * The instance of a name: the estate's project's, else that of the project that was named.
 *
 * @throws Fault (usage) where there is none, or it is in a project that was not named
 */
export function findInstance(name: string, { instances, registry, fromProject }: Search): Instance {
  const { incusProject } = registry.defaults;
  const named = instances.filter((each) => each.name === name);
  const here = named.find(({ project }) => project === incusProject);
  const there = named.find(({ project }) => project === fromProject);
  // One of the same name in the other project is what a finished move leaves out of account.
  if (here && (!there || there === here)) return here;
  if (here?.config[MARK.adopting] !== undefined && there?.config[MARK.adopting] !== undefined) {
    throw new Fault(
      `"${name}" is in the Incus projects "${incusProject}" and "${fromProject}": its move is under way, or was cut off`,
      {
        remedy: `Run again in a minute. Where both are there still, the server was stopped in the middle: incus delete --project ${incusProject} ${name}`,
        exitCode: EXIT.conflict,
      },
    );
  }
  if (here && there) {
    throw new Fault(
      `an instance "${name}" is in the Incus project "${incusProject}" as well as in "${fromProject}"`,
      {
        remedy: `Rename one of them: incus rename --project ${fromProject} ${name} NEW`,
        exitCode: EXIT.conflict,
      },
    );
  }
  if (there) return there;
  const [elsewhere] = named;
  if (elsewhere && fromProject === undefined) {
    throw new Fault(
      `the instance "${name}" is in the Incus project "${elsewhere.project}", not in "${incusProject}"`,
      {
        remedy: `It can be moved, for which it is stopped: repoman adopt ${name} --from-project ${elsewhere.project}`,
        exitCode: EXIT.usage,
      },
    );
  }
  const places = fromProject === undefined ? [incusProject] : [incusProject, fromProject];
  const known = instances.filter(({ project }) => places.includes(project)).map((i) => i.name);
  const near = nearest(name, known);
  throw new Fault(
    `there is no instance "${name}" in the Incus project ${places.map((p) => `"${p}"`).join(" or ")}`,
    {
      remedy: near
        ? `Did you mean "${near}"?`
        : known.length > 0
          ? `There are: ${known.join(", ")}.`
          : "There is none at all.",
      exitCode: EXIT.usage,
    },
  );
}
