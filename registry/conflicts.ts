import type { Origin } from "./document.ts";
import type { Findings } from "./findings.ts";
import { checkPorts } from "./listening.ts";
import { within } from "./paths.ts";
import { Reporter } from "./reporter.ts";
import { type Resolved, repositoryOrigin } from "./resolve.ts";
import { quote } from "./text.ts";
import type { Defaults, Project } from "./types.ts";

/** Reports what cannot hold between projects: one name, one repository, one port for two. */
export function conflictsBetween(
  all: readonly Resolved[],
  defaults: Defaults,
  backupRootOrigin: Origin,
  findings: Findings,
): void {
  duplicateNames(all, findings);
  const placed = all.filter((each) => each.placed);
  nestedRepositories(placed, findings);
  backupsOverRepositories(placed, defaults, backupRootOrigin, findings);
  checkPorts(all, findings);
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
      "remove one of them, or give it another name",
    );
  }
}

/** Walks projects by path, so that each is compared with the ones around it only. */
function nestedRepositories(all: readonly Resolved[], findings: Findings): void {
  const places = new Map(all.map((each, index) => [each, index]));
  const place = (each: Resolved) => places.get(each) ?? 0;
  const above: Resolved[] = [];
  for (const each of byPath(all)) {
    while (above.length > 0 && !within(each.project.repo, above.at(-1)?.project.repo ?? "")) {
      above.pop();
    }
    const outer = above.reduce<Resolved | undefined>(
      (first, other) => (first && place(first) < place(other) ? first : other),
      undefined,
    );
    above.push(each);
    if (!outer) continue;
    // The one that was there first in the file is in its right; the other is reported.
    const [earlier, later] = place(outer) < place(each) ? [outer, each] : [each, outer];
    const report = new Reporter(later.project.name, findings);
    const origin = repositoryOrigin(later.merged);
    const other = quote(earlier.project.name);
    const same = each.project.repo === outer.project.repo;
    // One entry written twice is a matter of its name, and is reported as that.
    if (same && each.project.name === outer.project.name) continue;
    if (same) {
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
  if (!within(reposRoot, backupRoot) && !within(backupRoot, reposRoot)) return;
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
      repositoryOrigin(merged),
      `its backup ${quote(backupPath)} would hold the repository ${quote(hit.project.repo)}, ${fatal}`,
      "choose a backup_root that repos_root is not below",
    );
  }
}

/** Sorted so that what lies in a directory follows it at once. */
function byPath(all: readonly Resolved[]): Resolved[] {
  // By parts, not by characters: "a b" must not come between "a" and "a/b".
  const key = ({ project }: Resolved) => project.repo.replaceAll("/", "\0");
  return all
    .map((each) => [key(each), each] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, each]) => each);
}
