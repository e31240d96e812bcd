// What repair offers, for everything that can be found.

import { describe, expect, test } from "vitest";
import type { Live } from "../../cli/estate/live.ts";
import { casesOf } from "../../cli/estate/repair.ts";
import type { Instance } from "../../incus/types.ts";
import type { ProjectState } from "../../survey/reconcile.ts";
import { project } from "../components/fixtures.ts";
import { made, OWNER } from "../survey/fixtures.ts";

const ABOUT = { incusProject: "repoman", reposRoot: "/home/dev/repos" };

function state(drift: ProjectState["drift"], more: Partial<ProjectState> = {}): ProjectState {
  return { project: project("web"), drift, differences: [], replaces: false, ...more };
}

function cases(projects: ProjectState[], orphans: Live["orphans"] = []) {
  return casesOf({ projects, orphans } as unknown as Live, ABOUT);
}
const choices = (list: ReturnType<typeof cases>) =>
  list.map(({ ways }) => ways.map(({ choice }) => choice));

describe("a project", () => {
  test("that is as declared is no case", () => {
    expect(cases([state("ok")])).toEqual([]);
  });

  test("that is missing can be made again or forgotten", () => {
    const [found] = cases([state("missing")]);
    expect(found?.ways.map(({ choice, command }) => [choice, command])).toEqual([
      ["recreate", "repoman up web --yes"],
      ["forget", "repoman remove web --yes"],
    ]);
  });

  test("that differs says by what; one that would be made anew loses something", () => {
    const differences = [{ property: "image", live: "a", declared: "b" }];
    const [found] = cases([state("drift", { differences })]);
    expect(found?.what).toBe("differs from the registry: image");
    expect(found?.ways[0]).not.toHaveProperty("loses");
    const [anew] = cases([state("drift", { differences, replaces: true })]);
    expect(anew?.ways[0]).toMatchObject({ choice: "apply", loses: true });
  });

  test("that is out of reach, at fault or in conflict is told, and left to the user", () => {
    for (const drift of ["conflict", "fault", "unreachable"] as const) {
      expect(cases([state(drift, { reason: "why" })])).toEqual([
        { name: "web", state: drift, what: "why", ways: [] },
      ]);
    }
  });
});

describe("an orphan", () => {
  const own = made(project("web"));
  const bare: Instance = { ...own, config: {} };

  test("with a repository can be adopted or destroyed, one without only destroyed", () => {
    expect(choices(cases([], [{ instance: bare, own: false }]))).toEqual([["adopt", "destroy"]]);
    const without = { ...bare, devices: {} };
    expect(choices(cases([], [{ instance: without, own: false }]))).toEqual([["destroy"]]);
    const machine = { ...bare, type: "virtual-machine" };
    expect(choices(cases([], [{ instance: machine, own: false }]))).toEqual([["destroy"]]);
  });

  test("of this stack's that the registry lost is offered the same", () => {
    const [found] = cases([], [{ instance: own, own: true }]);
    expect(found?.what).toMatch(/is this stack's, and not in the registry/);
    expect(choices([found as NonNullable<typeof found>])).toEqual([["adopt", "destroy"]]);
  });

  test("of another stack's is left to that", () => {
    const [found] = cases([], [{ instance: own, own: false }]);
    expect(found?.what).toContain(`it belongs to the stack "${OWNER.stack}"`);
    expect(found?.ways).toEqual([]);
  });
});
