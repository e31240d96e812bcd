import { runtime } from "@pulumi/pulumi";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { EstateArgs, Estate as EstateClass } from "../../components/estate.ts";
import { declaredContainer } from "../../providers/container/declared.ts";
import type { Template } from "../../registry/types.ts";
import { DEV, project, registry, survey } from "./fixtures.ts";

interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

let registered: Registered[] = [];
let Estate: typeof EstateClass;

beforeAll(async () => {
  await runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      registered.push({ type, name, inputs });
      return { id: name, state: { ...inputs, state: "Running", ipv4: "10.0.0.2" } };
    },
    call: () => ({}),
  });
  ({ Estate } = await import("../../components/estate.ts"));
});

beforeEach(() => {
  registered = [];
});

function template(name: string): [string, Template] {
  const file = `/profiles/${name}.yml`;
  const rest = { source: "vendor" as const, shadows: false, unresolved: [] };
  return [name, { name, description: "", config: {}, devices: {}, file, ...rest }];
}

function compose(args: Partial<EstateArgs> & Pick<EstateArgs, "registry" | "survey">) {
  return new Estate("host", {
    remote: "",
    owner: { id: "id", stack: "host" },
    library: Object.assign(new Map([template("tools"), template("unused"), template("default")]), {
      faults: new Map(),
      warnings: new Map(),
    }),
    profiles: "referenced",
    restart: false,
    dryRun: false,
    ...args,
  });
}

function settle<T>(output: { apply(run: (value: T) => void): unknown }): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** The part of each URN after stack and project: the types from the root down, and the name. */
function urnsOf(estate: EstateClass): string[] {
  const walk = (resource: object, parents: string[]): string[] => {
    const {
      __pulumiType: type,
      __name: name,
      __childResources: children = new Set<object>(),
    } = resource as { __pulumiType: string; __name: string; __childResources?: Set<object> };
    const types = [...parents, type];
    return [`${types.join("$")}::${name}`, ...[...children].flatMap((child) => walk(child, types))];
  };
  return walk(estate, []);
}

describe("the estate", () => {
  // A change of any of these deletes people's containers, unless an alias goes with it.
  test("keeps the types, names and parents that Pulumi knows its resources by", async () => {
    const alpha = project("alpha", { profiles: ["default", "tools"] });
    const estate = compose({ registry: registry([alpha]), survey: survey([alpha]) });
    await settle(estate.containers);
    expect(urnsOf(estate)).toEqual([
      "repoman:index:Estate::host",
      "repoman:index:Estate$pulumi-nodejs:dynamic/repoman:IncusProject::repoman",
      "repoman:index:Estate$repoman:index:ProfileLibrary::host",
      "repoman:index:Estate$repoman:index:ProfileLibrary$pulumi-nodejs:dynamic/repoman:IncusProfile::tools",
      "repoman:index:Estate$repoman:index:Workspace::alpha",
      "repoman:index:Estate$repoman:index:Workspace$pulumi-nodejs:dynamic/repoman:RepoContainer::alpha",
      "repoman:index:Estate$repoman:index:Workspace$pulumi-nodejs:dynamic/repoman:RsyncBackup::alpha",
    ]);
  });

  test("manages the profiles that projects refer to, all of them, or those and some more", () => {
    const alpha = project("alpha", { profiles: ["default", "tools"] });
    const args = { registry: registry([alpha]), survey: survey([alpha]) };
    expect(compose(args).profiles).toEqual(["tools"]);
    expect(compose({ ...args, profiles: "all" }).profiles).toEqual(["tools", "unused"]);
    expect(compose({ ...args, profiles: ["unused"] }).profiles).toEqual(["tools", "unused"]);
  });

  test("declares nothing for a disabled project that has no container", async () => {
    const off = project("off", { enabled: false });
    const estate = compose({ registry: registry([off]), survey: survey([off]) });
    expect(await settle(estate.containers)).toEqual({});
  });

  test("keeps the container of a disabled project, stopped, and no backup of it", async () => {
    const off = project("off", { enabled: false });
    const facts = survey([off], { exists: true });
    const estate = compose({ registry: registry([off]), survey: facts });
    await settle(estate.containers);
    const container = registered.find((each) => each.name === "off" && /Container/.test(each.type));
    expect(container?.inputs).toMatchObject({ running: false });
    expect(await settle(estate.backups)).toEqual({});
  });

  // `repoman list` compares with the same: the two can only ever agree.
  test("declares a container as everything else has it, and only a run's own facts beside", async () => {
    const alpha = project("alpha", {
      running: true,
      target: "@fast",
      ignore: ["limits.cpu"],
      env: { A: "b" },
    });
    const args = { registry: registry([alpha]), survey: survey([alpha]) };
    const estate = compose({ ...args, restart: true });
    await settle(estate.containers);
    const { inputs } = registered.find(({ type }) => /RepoContainer$/.test(type)) ?? {};
    const wide = {
      remote: "",
      owner: { id: "id", stack: "host" },
      incusProject: "repoman",
      restart: true,
    };
    const { __provider, dryRun, ...declared } = inputs ?? {};
    // Outputs that are not known yet stand among the inputs.
    const known = Object.entries(declared).filter(([, value]) => value !== undefined);
    expect(Object.fromEntries(known)).toEqual(declaredContainer(wide, alpha, DEV));
  });

  test("exports for a container what people look for", async () => {
    const alpha = project("alpha");
    const estate = compose({ registry: registry([alpha]), survey: survey([alpha]) });
    expect(await settle(estate.containers)).toEqual({
      alpha: {
        state: "Running",
        ipv4: "10.0.0.2",
        image: "images:debian/12/cloud",
        profiles: ["default"],
        repo: "/home/dev/repos/alpha",
        path: "/home/dev/repos/alpha",
      },
    });
  });
});
