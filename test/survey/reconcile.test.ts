import { describe, expect, test } from "vitest";
import type { Instance } from "../../incus/types.ts";
import { MARK } from "../../providers/ownership.ts";
import type { Project } from "../../registry/types.ts";
import { type ReconcileOptions, reconcile } from "../../survey/reconcile.ts";
import { project, registry, survey } from "../components/fixtures.ts";
import { made, OWNER } from "./fixtures.ts";

function judge(one: Project, instances?: Instance[], more: Partial<ReconcileOptions> = {}) {
  const found = reconcile({
    registry: registry([one]),
    facts: survey([one]).projects,
    instances,
    owner: OWNER,
    ...more,
  });
  const [state] = found.projects;
  if (!state) throw new Error("no project was judged");
  return { ...state, orphans: found.orphans };
}

const alpha = project("alpha", { config: { "limits.memory": "1GiB" } });
const changed = (change: (instance: Instance) => void): Instance => {
  const instance = structuredClone(made(alpha));
  change(instance);
  return instance;
};

describe("a container", () => {
  test("that is as `up` leaves it is ok, whatever the server added", () => {
    expect(judge(alpha, [made(alpha)])).toMatchObject({ drift: "ok", differences: [] });
    expect(judge(alpha, [made(alpha, { status: "Stopped" })]).drift).toBe("ok");
  });

  test.each<[string, (instance: Instance) => void, unknown, unknown]>([
    [
      "config.limits.memory",
      (i) => Object.assign(i.config, { "limits.memory": "96MiB" }),
      "96MiB",
      "1GiB",
    ],
    ["config.limits.cpu", (i) => Object.assign(i.config, { "limits.cpu": "2" }), "2", undefined],
    [
      "devices.repo.path",
      (i) => Object.assign(i.devices.repo ?? {}, { path: "/elsewhere" }),
      "/elsewhere",
      alpha.path,
    ],
    [
      "devices.gpu",
      (i) => Object.assign(i.devices, { gpu: { type: "gpu" } }),
      { type: "gpu" },
      undefined,
    ],
    ["profiles", (i) => i.profiles.push("tools"), ["default", "tools"], ["default"]],
    ["description", (i) => Object.assign(i, { description: "" }), "", `repoman: ${alpha.repo}`],
    ["image", (i) => Object.assign(i.config, { [MARK.image]: "other" }), "other", alpha.image],
    ["ready", (i) => delete i.config[MARK.ready], false, true],
  ])("of which %s differs has drifted", (property, change, live, declared) => {
    const found = judge(alpha, [changed(change)]);
    expect(found.drift).toBe("drift");
    expect(found.differences).toEqual([{ property, live, declared }]);
    expect(found.replaces).toBe(property === "image");
  });

  test("drifts in nothing that the registry exempts", () => {
    const instance = changed((i) => {
      i.config["limits.memory"] = "96MiB";
      i.devices.gpu = { type: "gpu" };
    });
    const ignore = ["limits.memory", "device:gpu"];
    expect(judge({ ...alpha, ignore }, [instance]).drift).toBe("ok");
    expect(judge({ ...alpha, ignore: ["limits.memory"] }, [instance]).differences).toHaveLength(1);
  });

  test("drifts in its run state only where the registry sets one", () => {
    const stopped = made(alpha, { status: "Stopped" });
    expect(judge({ ...alpha, running: true }, [stopped]).differences).toEqual([
      { property: "running", live: false, declared: true },
    ]);
    expect(judge({ ...alpha, enabled: false }, [made(alpha)]).differences).toEqual([
      { property: "running", live: true, declared: false },
    ]);
    expect(judge({ ...alpha, enabled: false }, [stopped]).drift).toBe("ok");
  });

  test("that is not there is missing, unless its project is disabled", () => {
    expect(judge(alpha, []).drift).toBe("missing");
    expect(judge({ ...alpha, enabled: false }, [])).toMatchObject({ drift: "ok" });
  });

  test("that was renamed is known by its mark, or by the uuid where even that is gone", () => {
    const renamed = changed((i) => Object.assign(i, { name: "beta" }));
    const difference = { property: "name", live: "beta", declared: "alpha" };
    expect(judge(alpha, [renamed])).toMatchObject({ differences: [difference], orphans: [] });
    for (const mark of [MARK.stack, MARK.name]) delete renamed.config[mark];
    expect(judge(alpha, [renamed])).toMatchObject({ drift: "missing", orphans: [{ own: false }] });
    const uuids = new Map([["alpha", "uuid-alpha"]]);
    expect(judge(alpha, [renamed], { uuids }).differences).toContainEqual(difference);
  });

  test("that lost its mark is drift where Pulumi knows it, and a conflict where nobody does", () => {
    const bare = changed((i) => delete i.config[MARK.stack]);
    const uuids = new Map([["alpha", "uuid-alpha"]]);
    expect(judge(alpha, [bare], { uuids }).differences).toEqual([
      { property: "owner", live: "", declared: "host" },
    ]);
    const { drift, reason } = judge(alpha, [bare]);
    expect(drift).toBe("conflict");
    expect(reason).toContain("repoman did not make it");
  });

  test("of another stack is a conflict", () => {
    const other = changed((i) =>
      Object.assign(i.config, { [MARK.stack]: "other", [MARK.stackName]: "elsewhere" }),
    );
    const { drift, reason } = judge(alpha, [other]);
    expect({ drift, reason }).toEqual({
      drift: "conflict",
      reason: expect.stringContaining('the stack "elsewhere"'),
    });
  });

  test("that stands aside for its replacement is neither missing nor an orphan", () => {
    const aside = changed((i) => {
      i.name = "alpha-old-12345678";
      i.config[MARK.aside] = "Running";
    });
    expect(judge(alpha, [aside])).toMatchObject({
      differences: [{ property: "ready", live: false, declared: true }],
      orphans: [],
    });
    expect(judge(alpha, [aside, made(alpha)])).toMatchObject({ drift: "ok", orphans: [] });
  });
});

describe("what is out of reach", () => {
  test("is never taken for gone", () => {
    const down = judge(alpha, undefined, { unreachable: "the daemon has stopped" });
    expect(down).toMatchObject({ drift: "unreachable", reason: "the daemon has stopped" });
    const member = judge(alpha, [made(alpha, { status: "Error", location: "two" })]);
    expect(member).toMatchObject({ drift: "unreachable" });
    expect(member.reason).toContain("member two");
  });

  test("on the host is a fault of that project alone, and nothing is compared", () => {
    const facts = survey([alpha], { fault: "the repository is not there" }).projects;
    const drifted = changed((i) => Object.assign(i.config, { "limits.memory": "96MiB" }));
    const found = judge(alpha, [drifted], { facts });
    expect(found).toMatchObject({ drift: "fault", differences: [], instance: { name: "alpha" } });
    expect(judge(alpha, [], { facts })).toMatchObject({ drift: "fault" });
  });
});

test("orphans are the instances that no project accounts for, by name", () => {
  const left = made(project("left"));
  const strange = made(project("strange"));
  strange.config = {};
  const { orphans } = judge(alpha, [strange, made(alpha), left]);
  expect(orphans.map(({ instance, own }) => [instance.name, own])).toEqual([
    ["left", true],
    ["strange", false],
  ]);
});

test("a stack that was never made owns nothing", () => {
  const owner = { id: "", stack: "host" };
  expect(judge(alpha, [made(alpha)], { owner }).drift).toBe("conflict");
  expect(judge(alpha, [], { owner }).drift).toBe("missing");
});
