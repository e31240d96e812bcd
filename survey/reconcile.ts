// What the registry declares against what the server has, project by project. It compares by the
// very functions that Pulumi's plan is made with, so that `repoman list` and `preview` agree. Pure.
//
// Pulumi's state also keeps what no server knows (`restart`, `ignore`): an edit of those alone shows
// in a preview, and not here.

import type { Instance } from "../incus/types.ts";
import { declaredContainer } from "../providers/container/declared.ts";
import { type Difference, differences, differing } from "../providers/container/differences.ts";
import type { ContainerInputs } from "../providers/container/inputs.ts";
import { exempt, findAside, findOwn, inputsFrom } from "../providers/container/live.ts";
import { describeOwner, isOwn, MARK, type Owner } from "../providers/ownership.ts";
import type { Project, Registry } from "../registry/types.ts";
import type { ProjectFacts } from "./survey.ts";

/**
 * - `ok`: as declared; so is a disabled project without a container
 * - `drift`: something differs, see `differences`
 * - `missing`: there is no container
 * - `conflict`: an instance of its name is there, and another's
 * - `fault`: trouble on the host keeps the container from being what is declared; it is left alone
 * - `unreachable`: the server, or the cluster member that has it, does not answer
 */
export type Drift = "ok" | "drift" | "missing" | "conflict" | "fault" | "unreachable";

export type { Difference };

export interface ProjectState {
  project: Project;
  drift: Drift;
  /** What the server has: this stack's, or in a conflict the other's. */
  instance?: Instance;
  /** Empty unless the drift is `drift`; sorted by property. */
  differences: Difference[];
  /** Whether `up` would make a new container in the place of this one. */
  replaces: boolean;
  /** Why it is a conflict, a fault or unreachable, with the remedy where there is one. */
  reason?: string;
}

/** An instance that no project of the registry accounts for. */
export interface Orphan {
  instance: Instance;
  /** Whether this stack made it: then `up` deletes it, as no longer declared. */
  own: boolean;
}

export interface Reconciled {
  /** Enabled and disabled, in the order of the registry. */
  projects: ProjectState[];
  /** Sorted by name. */
  orphans: Orphan[];
}

export interface ReconcileOptions {
  registry: Registry;
  /** What the host tells of each project (`projectFacts`). */
  facts: ReadonlyMap<string, ProjectFacts>;
  /** Those of the estate's Incus project; undefined where the server could not be asked. */
  instances: readonly Instance[] | undefined;
  /** The stack; with an empty id where it was never made. */
  owner: Owner;
  /** By project, the `volatile.uuid` that Pulumi's state knows: finds what was renamed or unmarked. */
  uuids?: ReadonlyMap<string, string>;
  /** Why there are no instances. */
  unreachable?: string;
}

/** An instance on a cluster member that is down is listed with this status. */
const MEMBER_DOWN = "Error";

export function reconcile(options: ReconcileOptions): Reconciled {
  const { registry, instances } = options;
  const projects = registry.projects.map((project) => judge(options, project));
  const taken = new Set(projects.map(({ instance }) => instance));
  const names = new Set(registry.projects.map(({ name }) => name));
  const orphans = (instances ?? [])
    .filter((instance) => !taken.has(instance) && !standsAside(instance, names, options.owner))
    .map((instance) => ({ instance, own: isOwn(instance.config, options.owner) }));
  return {
    projects,
    orphans: orphans.sort((a, b) => (a.instance.name < b.instance.name ? -1 : 1)),
  };
}

function judge(options: ReconcileOptions, project: Project): ProjectState {
  const { owner, registry, instances, facts } = options;
  const { owner: user, fault, formerName } = facts.get(project.name) ?? {};
  const settled = (drift: Drift, more: Partial<ProjectState> = {}): ProjectState => ({
    project,
    drift,
    differences: [],
    replaces: false,
    ...more,
  });
  if (!instances) {
    const { unreachable: reason } = options;
    return settled("unreachable", reason === undefined ? {} : { reason });
  }

  const { incusProject } = registry.defaults;
  // The server knows nothing of remote and restart, so whatever they are they do not differ.
  const wide = { remote: "", owner, incusProject, restart: false };
  const declared = { ...declaredContainer(wide, project, user), ready: true };
  const instance =
    ofProject(instances, declared, options.uuids?.get(project.name)) ??
    (formerName === undefined ? undefined : findOwn([...instances], { name: formerName, owner }));
  if (!instance) {
    const other = instances.find(({ name }) => name === project.name);
    if (other && project.enabled) {
      const reason = `an instance "${other.name}" exists in the Incus project "${incusProject}" and ${describeOwner(other.config)}`;
      return settled("conflict", { instance: other, reason });
    }
    if (!project.enabled) return settled("ok");
    return fault === undefined ? settled("missing") : settled("fault", { reason: fault });
  }
  if (instance.status === MEMBER_DOWN) {
    const reason = `its cluster member ${instance.location} is out of reach`;
    return settled("unreachable", { instance, reason });
  }
  if (fault !== undefined) return settled("fault", { instance, reason: fault });

  const live = inputsFrom(instance, declared);
  const wanted = exempt(live, declared);
  const found = differences(live, wanted);
  if (found.length === 0) return settled("ok", { instance });
  const replaces = differing(live, wanted).replaces.length > 0;
  return settled("drift", { instance, differences: found, replaces });
}

/** The project's own instance, whatever it is called now. */
function ofProject(
  instances: readonly Instance[],
  { name, owner }: ContainerInputs,
  uuid: string | undefined,
): Instance | undefined {
  const all = [...instances];
  const known = uuid === undefined ? undefined : findOwn(all, { name, owner, uuid });
  const marked = () =>
    all.find(
      ({ config }) =>
        isOwn(config, owner) && config[MARK.name] === name && config[MARK.aside] === undefined,
    );
  return known ?? findOwn(all, { name, owner }) ?? marked() ?? findAside(all, { name, owner });
}

/** One that waits for its replacement belongs to its project. */
function standsAside({ config }: Instance, names: ReadonlySet<string>, owner: Owner): boolean {
  return (
    isOwn(config, owner) && config[MARK.aside] !== undefined && names.has(config[MARK.name] ?? "")
  );
}
