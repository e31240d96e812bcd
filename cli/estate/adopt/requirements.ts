// Whether an instance may be adopted, before anything is changed.

import { EXIT, Fault } from "../../../host/fault.js";
import type { IncusClient } from "../../../incus/client.ts";
import type { Instance } from "../../../incus/types.ts";
import {
  describeOwner,
  isOwn,
  MARK,
  type Owner,
  profileMark,
  projectConflict,
} from "../../../providers/ownership.ts";
import type { Library, Registry } from "../../../registry/types.ts";

/** An instance on a cluster member that is down is listed with this status, and cannot be read. */
const MEMBER_DOWN = "Error";

/**
 * @returns whether there is nothing to do: it is this stack's, and in the registry
 * @throws Fault (conflict) for what is another stack's, or stands against an entry of the registry
 */
export function judgeInstance(
  { name, type, ephemeral, status, location, config, project }: Instance,
  { projects, defaults, file }: Registry,
  stackId: string,
): "adoptable" | "begun" | "done" {
  const own = isOwn(config, { id: stackId });
  const entry = projects.find((each) => each.name.toLowerCase() === name.toLowerCase());
  const conflict = (what: string, remedy: string) =>
    new Fault(what, { remedy, exitCode: EXIT.conflict });
  if (config[MARK.stack] !== undefined && !own) {
    throw conflict(
      `the instance "${name}" cannot be adopted: ${describeOwner(config)}`,
      `Its own stack has to let it go first: incus config unset --project ${project} ${name} ${MARK.stack}`,
    );
  }
  if (own && entry && config[MARK.adopting] === undefined && project === defaults.incusProject) {
    return "done";
  }
  if (entry && !(own && config[MARK.adopting] !== undefined)) {
    throw conflict(
      `${file} has a project "${entry.name}" already, and the instance is not its container`,
      "Rename or remove that entry, or rename the instance; then adopt it.",
    );
  }
  if (type !== "container") {
    throw conflict(
      `"${name}" is a virtual machine, and repoman keeps containers`,
      "Leave it where it is.",
    );
  }
  if (ephemeral) {
    throw conflict(
      `the instance "${name}" is ephemeral: Incus deletes it when it stops`,
      `Copy it to one that stays: incus copy ${name} NEW --project ${project}`,
    );
  }
  if (status === MEMBER_DOWN) {
    throw new Fault(`the cluster member ${location}, which has "${name}", is out of reach`, {
      remedy: "Bring it back, then adopt.",
      exitCode: EXIT.environment,
    });
  }
  return own && config[MARK.adopting] !== undefined ? "begun" : "adoptable";
}

/**
 * Whether what an instance relies on in its project is there in the estate's, too.
 *
 * @throws Fault (conflict)
 */
export async function requireMovable(
  client: IncusClient,
  instance: Instance,
  to: string,
): Promise<void> {
  const { name, project } = instance;
  const stays = (what: string, remedy: string) =>
    new Fault(`the instance "${name}" cannot be moved as it is: ${what}`, {
      remedy,
      exitCode: EXIT.conflict,
    });
  for (const [device, { type, pool, path, source }] of Object.entries(
    instance.expanded_devices ?? {},
  )) {
    if (type === "disk" && pool !== undefined && path !== "/" && source !== undefined) {
      throw stays(
        `its device "${device}" is the storage volume "${source}" of the Incus project "${project}"`,
        `Move that first: incus storage volume move ${pool}/${source} ${pool}/${source} --project ${project} --target-project ${to}`,
      );
    }
  }
  if (project === "default") return;
  const { value: from } = await client.getProject(project);
  if (from.config["features.networks"] === "true") {
    throw stays(
      `the Incus project "${project}" has networks of its own`,
      "Give it a network of the project default, then adopt it.",
    );
  }
  if (from.config["features.profiles"] !== "true") return;
  const [theirs, common] = await Promise.all([
    client.getProfiles(project),
    client.getProfiles("default"),
  ]);
  const content = (name: string, list: typeof theirs) => {
    const found = list.find((each) => each.name === name);
    return found && JSON.stringify([entries(found.config), entries(found.devices)]);
  };
  const other = instance.profiles.filter((each) => content(each, theirs) !== content(each, common));
  if (other.length === 0) return;
  throw stays(
    `its profiles are those of the Incus project "${project}", and ${other.join(", ")} of "default" differ from them`,
    `Copy them: incus profile copy ${other[0]} NEW --project ${project} --target-project default`,
  );
}

function entries(record: object): unknown[] {
  return Object.entries(record)
    .map(([key, value]) => [key, typeof value === "object" ? entries(value) : value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A profile of the library is Pulumi's once a project refers to it: it has to be this stack's. */
export async function requireProfiles(
  client: IncusClient,
  { name, profiles }: Instance,
  library: Library,
  owner: Owner,
): Promise<void> {
  const ofLibrary = profiles.filter((each) => each !== "default" && library.has(each));
  if (ofLibrary.length === 0) return;
  const server = await client.getProfiles("default");
  const others = ofLibrary.filter((each) => {
    const found = server.find((profile) => profile.name === each);
    return found && found.config[profileMark(owner)] === undefined;
  });
  if (others.length === 0) return;
  const list = others.map((each) => `"${each}"`).join(", ");
  throw new Fault(
    `the instance "${name}" uses ${list}, of which repoman's library has a template and the server something that repoman did not make`,
    {
      remedy: `See how they differ, then hand them over: repoman profile install ${others.join(" ")} --adopt`,
      exitCode: EXIT.conflict,
    },
  );
}

/** @throws Fault (conflict) where the estate's Incus project is not this stack's */
export async function requireOwnProject(
  client: IncusClient,
  name: string,
  owner: Owner,
): Promise<void> {
  const there = (await client.getProjects()).find((each) => each.name === name);
  const found = there && projectConflict(name, there.config, owner);
  if (found) throw new Fault(found.what, { remedy: found.remedy, exitCode: EXIT.conflict });
}
