import type { Findings } from "./findings.ts";
import { clash, type Listener } from "./port.ts";
import { Reporter } from "./reporter.ts";
import type { Resolved } from "./resolve.ts";
import { deviceListeners } from "./settings.ts";
import { quote } from "./text.ts";

/** Reports ports of the host that two containers want, or one container twice. */
export function checkPorts(all: readonly Resolved[], findings: Findings): void {
  const taken: { listener: Listener; project: string }[] = [];
  for (const { project, merged, portOrigins } of all) {
    const report = new Reporter(project.name, findings);
    const own = project.ports.map(({ listen, protocol, address }, index) => ({
      listener: { protocol, address, first: listen, last: listen },
      origin: portOrigins[index] ?? merged.origin("ports"),
    }));
    const mine = [...own, ...deviceListeners(merged)];
    mine.forEach(({ listener, origin }, index) => {
      if (!mine.slice(0, index).some((earlier) => clash(earlier.listener, listener))) return;
      report.problem(origin, `${name(listener)} is listed twice`, "remove one of the two");
    });
    // What is never up takes no port.
    if (!project.enabled || project.running === false) continue;
    for (const { listener, origin } of mine) {
      const other = taken.find((each) => clash(each.listener, listener));
      if (!other) continue;
      report.problem(
        origin,
        `${name(listener)} is taken by project ${quote(other.project)}`,
        "choose another port of the host, which is the first of the two numbers",
      );
    }
    taken.push(...mine.map(({ listener }) => ({ listener, project: project.name })));
  }
}

const name = ({ first, last, protocol }: Listener): string =>
  `port ${first === last ? first : `${first}-${last}`}/${protocol} of the host`;
