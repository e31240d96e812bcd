// What a change of the registry does to the estate, and what it never does. One estate lives
// through all of it, from its first container to its end.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Daemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import {
  expectNoChanges,
  instance,
  instanceNames,
  outputs,
  repoman,
  Shared,
  up,
} from "./estate.ts";

const estate = new Shared({ repos: ["alpha", "beta"] });
const projects: Shared["projects"] = (...list) => estate.projects(...list);
const uuid = (name: string) => estate.uuid(name);
let daemon: Daemon;
let host: Host;
/** Another user of the same server, with a stack of their own. */
let other: Host;

/** Has the profiles in the libraries of these machines, all with the same description. */
function library(names: string[], description: string, ...hosts: Host[]): void {
  for (const each of hosts) {
    for (const name of names) {
      const file = `.config/repoman/profiles.d/${name}.yml`;
      each.write(file, `description: ${description}\nconfig: {}\n`);
    }
  }
}

async function profiles(): Promise<string[]> {
  const { metadata } = await daemon.api("GET", "/1.0/profiles");
  return metadata.map((path: string) => path.replace("/1.0/profiles/", "")).sort();
}

async function makeStranger(name: string, of: string, more: object = {}): Promise<void> {
  const source = { type: "image", alias: "busybox" };
  const path = `/1.0/instances?project=${of}`;
  await daemon.api("POST", path, { name, type: "container", source, ...more });
}

beforeAll(async () => {
  ({ daemon, host } = estate);
  for (const name of ["gamma", "delta", "epsilon", "zeta"]) await host.repo(name);
  library(["tools", "extra", "lent"], "T", host);
});
afterAll(() => other?.dispose());

describe("a run limited to some projects", () => {
  test("makes what they need and no more, and its outputs are known", async () => {
    projects({ name: "alpha", profiles: ["default", "tools"] }, "beta");
    await up(host, "beta");
    expect(await instanceNames(daemon)).toEqual(["beta"]);
    expect(await profiles()).toEqual(["default"]);
    expect(outputs(host)).toMatchObject({
      containers: { beta: { state: "Running" } },
      backups: { beta: { result: "ok" } },
    });
    await up(host, "alpha");
    expect(Object.keys(outputs(host).containers).sort()).toEqual(["alpha", "beta"]);
  });

  test("leaves nothing to do for a whole one", () => expectNoChanges(host));
});

describe("what is new in the registry", () => {
  test("is made beside the others, a disabled project never, a profile before its container", async () => {
    const before = [await uuid("alpha"), await uuid("beta")];
    projects(
      {
        name: "alpha",
        profiles: ["default", "tools", "extra", "lent"],
        backup_max_age: "24h",
      },
      "beta",
      "gamma",
      "delta",
      { name: "epsilon", backup_max_age: "1s" },
      { name: "zeta", enabled: false },
    );
    await up(host);
    expect(await instanceNames(daemon)).toEqual(["alpha", "beta", "delta", "epsilon", "gamma"]);
    expect([await uuid("alpha"), await uuid("beta")]).toEqual(before);
    const { profiles: used } = await instance(daemon, "alpha");
    expect(used).toEqual(["default", "tools", "extra", "lent"]);
  });
});

describe("two stacks", () => {
  const theirs = (name: string, incusProject: string, more: object = {}) =>
    other.writeRegistry({
      defaults: { incus_project: incusProject },
      project: [{ name, ...more }],
    });

  beforeAll(async () => {
    other = await makeHost({ user: "dev", daemon });
    for (const name of ["alpha", "theta"]) await other.repo(name);
  });

  test("another stack's container is named as such", async () => {
    theirs("alpha", "repoman");
    const { all } = await repoman(other, 4, "preview");
    expect(all).toMatch(/belongs to the stack "rig" \(id [0-9a-f]+\)/);
  });

  test("share a profile of the same content, and do not fight over another", async () => {
    library(["tools"], "T", other);
    theirs("theta", "other", { profiles: ["default", "tools"] });
    await up(other);
    library(["tools"], "Another", other);
    const { all } = await repoman(other, 4, "up", "--yes");
    expect(all).toMatch(/the profile "tools" is also managed by the stack "rig"/);
    expect((await daemon.api("GET", "/1.0/profiles/tools")).metadata.description).toBe("T");
  });
});

// All at once, since one preview shows all that it has to say of the next run.
describe("what changes in the registry, or behind it", () => {
  let shown: string;
  let done: string;
  let before: Record<string, string | undefined>;

  beforeAll(async () => {
    before = { alpha: await uuid("alpha"), delta: await uuid("delta") };
    await makeStranger("mine", "default", { profiles: ["default", "lent"] });
    await makeStranger("stray", "repoman");
    await host.run(["rm", "-rf", join(host.backup.path, "alpha")]);
    projects(
      { name: "alpha", backup_max_age: "24h" },
      { name: "omega", repo: "gamma" },
      { name: "delta", enabled: false },
      { name: "epsilon", backup_max_age: "1s" },
    );
    shown = (await repoman(host, 0, "preview", "--diff")).all;
    done = (await up(host)).all;
  });

  test("one project less takes only its container, and the preview says so", async () => {
    expect(shown).toMatch(/no longer in the registry: .*\bbeta\b.*; `up` deletes the container/);
    expect(await instanceNames(daemon)).toEqual(["alpha", "delta", "epsilon", "omega", "stray"]);
    expect(await uuid("alpha")).toBe(before.alpha);
    for (const root of [host.reposRoot, host.backup.path]) {
      expect(existsSync(join(root, "beta/.git/HEAD"))).toBe(true);
    }
    expect(outputs(host)).not.toHaveProperty("containers.beta");
  });

  test("a renamed one is a delete and a create, and the preview says so", async () => {
    const of = (name: string, what: string) =>
      new RegExp(`RepoContainer: \\(${what}\\)[^(]*RepoContainer::${name}\\]`);
    expect(shown).toMatch(of("omega", "create"));
    expect(shown).toMatch(of("gamma", "delete"));
    expect(await instance(daemon, "gamma")).toBeUndefined();
    expect(await instance(daemon, "omega")).toMatchObject({ status: "Running" });
  });

  test("a disabled one that exists is stopped and kept", async () => {
    expect(await instance(daemon, "delta")).toMatchObject({ status: "Stopped" });
    expect(await uuid("delta")).toBe(before.delta);
  });

  test("a backup that is missing, or older than promised, is drift; up mirrors again", async () => {
    expect(shown).toMatch(/freshness\s*: "the copy .* is not there" => "fresh"/);
    expect(shown).toMatch(
      /freshness\s*: "the last good copy is .* old, allowed are 1 s" => "fresh"/,
    );
    expect(existsSync(join(host.backup.path, "alpha/.git/HEAD"))).toBe(true);
  });

  test("a profile that nothing uses goes; one that others use stays on the server, with a warning", async () => {
    expect(await profiles()).toEqual(["default", "lent", "tools"]);
    expect(done).toMatch(/profile "lent" stays on the server: it is still used by instances\/mine/);
  });

  test("a profile that another stack shares was no drift here, and stays as it was for that", async () => {
    expect(shown).not.toMatch(
      /IncusProfile: \((update|replace|create)\)[^(]*IncusProfile::tools\]/,
    );
    library(["tools"], "T", other);
    await expectNoChanges(other);
  });

  test("an instance that the registry does not name is an orphan, and stays", async () => {
    expect(done).toMatch(/but not in the registry: stray/);
    expect(outputs(host).orphans).toEqual(["stray"]);
    expect(await instance(daemon, "stray")).toBeDefined();
  });

  test("one that is enabled again runs, and is the same; then nothing is left to do", async () => {
    projects(
      { name: "alpha", backup_max_age: "24h" },
      { name: "omega", repo: "gamma" },
      { name: "delta", running: true },
      "epsilon",
    );
    await up(host);
    expect(await instance(daemon, "delta")).toMatchObject({ status: "Running" });
    expect(await uuid("delta")).toBe(before.delta);
    await expectNoChanges(host);
  });
});

test("an emptied repository is refused rather than mirrored", async () => {
  const repo = join(host.reposRoot, "epsilon");
  await host.run(["sh", "-c", `rm -rf ${repo}/.git ${repo}/*`]);
  const { all } = await repoman(host, 1, "sync", "epsilon");
  expect(all).toMatch(/epsilon: refused/);
  expect(existsSync(join(host.backup.path, "epsilon/.git/HEAD"))).toBe(true);
});

describe("destroy", () => {
  let marks: Record<string, unknown>;
  const setConfig = async (name: string, values: Record<string, string | undefined>) => {
    const words = Object.entries(values).map(([key, value]) => `${key}=${value ?? ""}`);
    await daemon.incus("config", "set", "--project", "repoman", name, ...words);
  };

  test("leaves what this stack did not make, or what is not its own any more, and the Incus project with it", async () => {
    const { config } = await instance(daemon, "alpha");
    marks = Object.fromEntries(
      Object.entries(config).filter(([key]) => key.startsWith("user.repoman.")),
    );
    const marked = { "user.repoman.stack": marks["user.repoman.stack"] };
    const theirs = { "user.repoman.stack": "0123456789abcdef", "user.repoman.stack-name": "b" };
    await setConfig("omega", theirs);
    await setConfig("delta", { "user.repoman.stack": undefined });
    const { all: mended } = await repoman(host, 4, "up", "--yes", "--skip-preview");
    expect(mended).toMatch(/"omega" .* stays as it is: it belongs to the stack "b" \(id 0123/);
    expect((await instance(daemon, "omega")).config).toMatchObject(theirs);
    expect((await instance(daemon, "delta")).config).toMatchObject(marked);

    await setConfig("delta", { "user.repoman.stack": undefined });
    const { all } = await repoman(host, 1, "destroy", "--yes", "--skip-preview");
    expect(all).toMatch(
      /"delta" in the Incus project "repoman" stays as it is: its mark was taken/,
    );
    expect(all).toMatch(/"omega" in the Incus project "repoman" stays as it is: it belongs to/);
    expect(all).toMatch(/still holds what this stack did not make: instances\/delta, .*stray/);
    expect(await instanceNames(daemon)).toEqual(["delta", "omega", "stray"]);
    expect((await instance(daemon, "omega")).config).toMatchObject(theirs);
    for (const name of ["delta", "omega", "stray"]) {
      await daemon.incus("delete", "--force", "--project", "repoman", name);
    }
  });

  test("finds what a killed run left, though no state knows of it", async () => {
    await makeStranger("half", "repoman", { config: marks });
    await repoman(host, 0, "destroy", "--yes", "--skip-preview");
    const { metadata } = await daemon.api("GET", "/1.0/projects");
    expect(metadata.sort()).toEqual(["/1.0/projects/default", "/1.0/projects/other"]);
  });
});
