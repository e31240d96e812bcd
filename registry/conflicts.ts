import type { Origin } from "./document.ts";
import type { Findings } from "./findings.ts";
import { REPOSITORY_DEVICE } from "./mounts.ts";
import { within } from "./paths.ts";
import { clash, type Listener } from "./port.ts";
import { Reporter, type Resolved } from "./resolve.ts";
import { deviceListeners } from "./settings.ts";
import { quote } from "./text.ts";
import type { Defaults, Project } from "./types.ts";

/** Reports what cannot hold within one project: mounts over mounts, devices of one name. */
export function conflictsWithin(resolved: Resolved, findings: Findings): void {
  const { project, merged } = resolved;
  const report = new Reporter(project.name, findings);
  const places: { what: string; path: string; origin: Origin }[] = [
    { what: "the repository", path: project.path, origin: merged.origin("path") },
  ];
  const devices = new Map([[REPOSITORY_DEVICE, "the repository"]]);
  project.mounts.forEach(({ path, device }, index) => {
    const origin = resolved.mountOrigins[index] ?? merged.origin("mount");
    places.push({ what: `the mount ${quote(path)}`, path, origin });
    devices.set(device, `the mount ${quote(path)}`);
  });
  project.ports.forEach(({ device, listen, protocol }, index) => {
    const origin = resolved.portOrigins[index] ?? merged.origin("ports");
    if (devices.has(device)) {
      report.problem(origin, `port ${listen}/${protocol} is listed twice`, "remove one of the two");
    }
    devices.set(device, `port ${listen}/${protocol}`);
  });
  for (const [name, { origin, options }] of merged.devices) {
    const path = options.get("path");
    const isDisk = options.get("type")?.value === "disk";
    // A disk at "/" is the root disk, beneath everything by nature.
    const inside = project.devices[name]?.path;
    if (isDisk && path && inside !== undefined && inside !== "/") {
      places.push({ what: `the device ${quote(name)}`, path: inside, origin: path.origin });
    }
    const other = devices.get(name);
    if (other) {
      report.problem(
        origin,
        `device ${quote(name)} has the name that ${other} needs`,
        "give it another name",
        "key",
      );
    }
  }
  places.forEach((place, index) => {
    for (const earlier of places.slice(0, index)) {
      if (!within(place.path, earlier.path) && !within(earlier.path, place.path)) continue;
      const relation =
        place.path === earlier.path
          ? `is where ${earlier.what} is`
          : within(place.path, earlier.path)
            ? `is inside ${earlier.what}`
            : `hides ${earlier.what} beneath it`;
      report.problem(
        place.origin,
        `${place.what} ${relation}${earlier.what.includes(quote(earlier.path)) ? "" : `, at ${quote(earlier.path)}`}`,
        "choose a path of its own, neither above nor below the other",
      );
    }
  });
}

/** Reports what cannot hold between projects: one name, one repository, one port for two. */
export function conflictsBetween(
  all: readonly Resolved[],
  defaults: Defaults,
  backupRootOrigin: Origin,
  findings: Findings,
): void {
  duplicateNames(all, findings);
  nestedRepositories(all, findings);
  backupsOverRepositories(all, defaults, backupRootOrigin, findings);
  sharedPorts(all, findings);
}

function duplicateNames(all: readonly Resolved[], findings: Findings): void {
  const first = new Map<string, Project>();
  for (const { project, merged } of all) {
    const other = first.get(project.name.toLowerCase());
    first.set(project.name.toLowerCase(), other ?? project);
    if (!other) continue;
    const same = other.name === project.name;
    new Reporter(project.name, findings).problem(
      merged.origin("name"),
      same
        ? "there is another project of this name"
        : `there is a project ${quote(other.name)}, and Incus's names in DNS ignore case`,
      "give one of them another name; `repo` may stay as it is",
    );
  }
}

/** Walks projects by path, so that each is compared with the ones around it only. */
function nestedRepositories(all: readonly Resolved[], findings: Findings): void {
  const above: Resolved[] = [];
  for (const each of byPath(all, ({ project }) => project.repo)) {
    while (above.length > 0 && !within(each.project.repo, above.at(-1)?.project.repo ?? "")) {
      above.pop();
    }
    const outer = above.at(-1);
    above.push(each);
    if (!outer) continue;
    const [earlier, later] = inFileOrder(all, outer, each);
    const report = new Reporter(later.project.name, findings);
    const origin = later.merged.origin("repo");
    const other = quote(earlier.project.name);
    if (each.project.repo === outer.project.repo) {
      report.problem(
        origin,
        `repo ${quote(later.project.repo)} is the repository of project ${other} too`,
        "a repository has one container and one backup: remove one of the two projects",
      );
    } else {
      const relation = later === each ? "is inside that" : "holds that";
      report.problem(
        origin,
        `repo ${quote(later.project.repo)} ${relation} of project ${other}, so that one backup would lie in the other`,
        "put the two repositories beside each other",
      );
    }
  }
}

/** A mirror deletes what its source does not have: it must meet no repository on its way. */
function backupsOverRepositories(
  all: readonly Resolved[],
  { backupRoot, reposRoot }: Defaults,
  backupRootOrigin: Origin,
  findings: Findings,
): void {
  if (backupRoot === undefined) return;
  const fatal = "and a mirror deletes what its source does not have";
  const atRoot = (what: string) =>
    findings.add({
      origin: backupRootOrigin,
      at: "value",
      what: `[defaults]: backup_root ${quote(backupRoot)} ${what}, ${fatal}`,
      remedy: "choose a backup_root outside repos_root, best on another disk",
    });
  const outer = all.find(({ project }) => within(backupRoot, project.repo));
  if (backupRoot === reposRoot || outer) {
    const where = outer && `inside the repository of project ${quote(outer.project.name)}`;
    atRoot(`is ${where ?? "repos_root itself"}`);
    return;
  }
  for (const { project, merged } of all) {
    const { backupPath } = project;
    const hit = backupPath && all.find((other) => within(other.project.repo, backupPath));
    if (!hit) continue;
    new Reporter(project.name, findings).problem(
      merged.origin("repo"),
      `its backup ${quote(backupPath)} would hold the repository ${quote(hit.project.repo)}, ${fatal}`,
      "choose a backup_root that repos_root is not below",
    );
  }
}

function sharedPorts(all: readonly Resolved[], findings: Findings): void {
  const taken: { listener: Listener; project: string }[] = [];
  for (const { project, merged, portOrigins } of all) {
    // What is never up takes no port.
    if (!project.enabled || project.running === false) continue;
    const report = new Reporter(project.name, findings);
    const own = project.ports.map(({ listen, protocol, address }, index) => ({
      listener: { protocol, address, first: listen, last: listen },
      origin: portOrigins[index] ?? merged.origin("ports"),
    }));
    const mine = [...own, ...deviceListeners(merged)];
    for (const { listener, origin } of mine) {
      const other = taken.find((each) => clash(each.listener, listener));
      const { first, last, protocol } = listener;
      const ports = first === last ? `${first}` : `${first}-${last}`;
      if (!other) taken.push({ listener, project: project.name });
      else if (other.project !== project.name) {
        report.problem(
          origin,
          `port ${ports}/${protocol} of the host is taken by project ${quote(other.project)}`,
          "choose another port of the host: the number before the colon",
        );
      } else if (
        other.listener.address !== listener.address ||
        !own.some((o) => o.origin === origin)
      ) {
        report.problem(
          origin,
          `port ${ports}/${protocol} of the host is listed twice`,
          "remove one of the two",
        );
      }
    }
  }
}

function byPath(all: readonly Resolved[], path: (each: Resolved) => string): Resolved[] {
  // By parts, not by characters: "a b" must not come between "a" and "a/b".
  const key = (each: Resolved) => path(each).replaceAll("/", "\0");
  return all
    .map((each) => [key(each), each] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, each]) => each);
}

function inFileOrder(all: readonly Resolved[], a: Resolved, b: Resolved): [Resolved, Resolved] {
  return all.indexOf(a) < all.indexOf(b) ? [a, b] : [b, a];
}
