import { join } from "node:path";
import type { Findings } from "./findings.ts";
import { mountsRepository, REPOSITORY_DEVICE } from "./mounts.ts";
import { tidy, within } from "./paths.ts";
import { Reporter } from "./reporter.ts";
import type { Resolved } from "./resolve.ts";
import { quote } from "./text.ts";

/** Reports what cannot hold within one project: mounts over mounts, devices of one name. */
export function checkWithin(resolved: Resolved, findings: Findings): void {
  const { project, merged } = resolved;
  const report = new Reporter(project.name, findings);
  const repository = { what: "the repository", device: REPOSITORY_DEVICE, path: project.path };
  const spelledOut = Object.values(project.devices).some((each) => mountsRepository(each, project));
  // Where the path was refused, that is the problem, and not where the repository lies without it.
  const places =
    spelledOut || merged.refused.has("path")
      ? []
      : [{ ...repository, origin: merged.origin("path") }];
  const devices = new Map(spelledOut ? [] : [[REPOSITORY_DEVICE, "the repository"]]);
  project.mounts.forEach(({ path, device }, index) => {
    const origin = resolved.mountOrigins[index] ?? merged.origin("mount");
    places.push({ what: `the mount ${quote(path)}`, device, path, origin });
    devices.set(device, `the mount ${quote(path)}`);
  });
  for (const { device, listen, protocol } of project.ports) {
    devices.set(device, `port ${listen}/${protocol}`);
  }
  for (const [name, { origin, options }] of merged.devices) {
    const path = options.get("path");
    const { type, path: inside } = project.devices[name] ?? {};
    // A disk at "/" is the root disk, beneath everything by nature.
    if (type === "disk" && path && inside && inside !== "/") {
      const what = `the device ${quote(name)}`;
      places.push({ what, device: name, path: tidy(join("/", inside)), origin: path.origin });
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
    if (scratchName(place).length > LONGEST_NAME) {
      report.problem(
        place.origin,
        `${place.what} is at a path that is too long for Incus to mount`,
        "choose a shorter path inside the container",
      );
    }
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

const LONGEST_NAME = 255;

/** The name that Incus gives a disk's entry in its own folder, where every "-" becomes two. */
function scratchName({ device, path }: { device: string; path: string }): Buffer {
  return Buffer.from(`disk.${device}.${path.slice(1)}`.replaceAll("-", "--"));
}
