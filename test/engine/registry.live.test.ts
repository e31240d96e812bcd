// What a change of the registry does to the estate, and what it never does.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
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

const estate = new Shared();
const projects: Shared["projects"] = (...list) => estate.projects(...list);
const uuid = (name: string) => estate.uuid(name);
let daemon: Daemon;
let host: Host;
beforeEach(() => {
  ({ daemon, host } = estate);
});

describe("projects that come and go", () => {
  test("one more is made beside the others; one less takes only its container", async () => {
    projects("alpha");
    await up(host);
    const alpha = await uuid("alpha");
    projects("alpha", "beta");
    await up(host);
    expect(await instanceNames(daemon)).toEqual(["alpha", "beta"]);
    expect(await uuid("alpha")).toBe(alpha);

    projects("beta");
    const { all } = await repoman(host, 0, "preview");
    expect(all).toMatch(/no longer in the registry: alpha; `up` deletes the container/);
    await up(host);
    expect(await instanceNames(daemon)).toEqual(["beta"]);
    for (const root of [host.reposRoot, host.backup.path]) {
      expect(existsSync(join(root, "alpha/.git/HEAD"))).toBe(true);
    }
    expect(outputs(host)).not.toHaveProperty("containers.alpha");
  });

  test("a renamed one is a delete and a create, and the preview says so", async () => {
    projects({ name: "alpha", repo: "alpha" });
    await up(host);
    projects({ name: "omega", repo: "alpha" });
    const { all } = await repoman(host, 0, "preview");
    expect(all).toMatch(/\+ .*RepoContainer omega create/);
    expect(all).toMatch(/- .*RepoContainer alpha delete/);
    await up(host);
    expect(await instanceNames(daemon)).toEqual(["omega"]);
  });

  test("a disabled one is never made; one that exists is stopped and kept", async () => {
    projects("alpha", { name: "beta", enabled: false });
    await up(host);
    expect(await instanceNames(daemon)).toEqual(["alpha"]);
    const alpha = await uuid("alpha");
    projects({ name: "alpha", enabled: false }, { name: "beta", enabled: false });
    await up(host);
    expect(await instance(daemon, "alpha")).toMatchObject({ status: "Stopped" });
    projects({ name: "alpha", running: true });
    await up(host);
    expect(await instance(daemon, "alpha")).toMatchObject({ status: "Running" });
    expect(await uuid("alpha")).toBe(alpha);
  });

  test("an instance in the project that the registry does not name is an orphan, and stays", async () => {
    projects("alpha");
    await up(host);
    await daemon.api("POST", "/1.0/instances?project=repoman", {
      name: "stray",
      type: "container",
      source: { type: "image", alias: "busybox" },
    });
    const { all } = await up(host);
    expect(all).toMatch(/but not in the registry: stray/);
    expect(outputs(host).orphans).toEqual(["stray"]);
    const { all: refused } = await repoman(host, 1, "destroy", "--yes");
    expect(refused).toMatch(/still holds what this stack did not make: instances\/stray/);
    expect(await instanceNames(daemon)).toEqual(["stray"]);
    await daemon.api("DELETE", "/1.0/instances/stray?project=repoman");
  });
});

describe("a run limited to some projects", () => {
  test("makes what they need and no more, and its outputs are known", async () => {
    host.write(".config/repoman/profiles.d/tools.yml", "description: T\nconfig: {}\n");
    projects({ name: "alpha", profiles: ["default", "tools"] }, "beta");
    await up(host, "beta");
    expect(await instanceNames(daemon)).toEqual(["beta"]);
    expect(outputs(host)).toMatchObject({
      containers: { beta: { state: "Running" } },
      backups: { beta: { result: "ok" } },
    });
    await up(host, "alpha");
    const { containers } = outputs(host);
    expect(Object.keys(containers).sort()).toEqual(["alpha", "beta"]);
    await expectNoChanges(host);
  });

  test("destroy finds what a killed run left, though no state knows of it", async () => {
    projects("alpha");
    await up(host);
    const { config } = await instance(daemon, "alpha");
    const marks = Object.fromEntries(
      Object.entries(config).filter(([key]) => key.startsWith("user.repoman.")),
    );
    await daemon.api("POST", "/1.0/instances?project=repoman", {
      name: "half",
      type: "container",
      config: marks,
      source: { type: "image", alias: "busybox" },
    });
    await repoman(host, 0, "destroy", "--yes");
    expect((await daemon.api("GET", "/1.0/projects")).metadata).toEqual(["/1.0/projects/default"]);
  });
});

describe("profiles", () => {
  test("a new one is made before the container that uses it, an unused one goes", async () => {
    projects("alpha");
    await up(host);
    host.write(".config/repoman/profiles.d/tools.yml", "description: T\nconfig: {}\n");
    projects({ name: "alpha", profiles: ["default", "tools"] });
    await up(host);
    expect((await instance(daemon, "alpha")).profiles).toEqual(["default", "tools"]);
    projects("alpha");
    await up(host);
    const names = (await daemon.api("GET", "/1.0/profiles")).metadata;
    expect(names).toEqual(["/1.0/profiles/default"]);
  });

  test("one that others use stays on the server, with a warning", async () => {
    host.write(".config/repoman/profiles.d/tools.yml", "description: T\nconfig: {}\n");
    projects({ name: "alpha", profiles: ["default", "tools"] });
    await up(host);
    await daemon.api("POST", "/1.0/instances", {
      name: "mine",
      type: "container",
      profiles: ["default", "tools"],
      source: { type: "image", alias: "busybox" },
    });
    projects("alpha");
    const { all } = await up(host);
    expect(all).toMatch(/profile "tools" stays on the server: it is still used by instances\/mine/);
    await daemon.api("DELETE", "/1.0/instances/mine");
    await daemon.api("DELETE", "/1.0/profiles/tools");
  });

  test("two stacks share one of the same content, and do not fight over another", async () => {
    const other = await makeHost({ user: "dev", daemon });
    await other.repo("gamma");
    const tools = (text: string) => {
      for (const each of [host, other]) {
        each.write(".config/repoman/profiles.d/tools.yml", text);
      }
    };
    const theirs = (profiles: string[]) =>
      other.writeRegistry({
        defaults: { incus_project: "other" },
        project: [{ name: "gamma", profiles }],
      });
    try {
      tools("description: T\nconfig: {}\n");
      projects({ name: "alpha", profiles: ["default", "tools"] });
      theirs(["default", "tools"]);
      await up(host);
      await up(other);
      other.write(".config/repoman/profiles.d/tools.yml", "description: Another\nconfig: {}\n");
      const { all } = await repoman(other, 4, "up", "--yes");
      expect(all).toMatch(/the profile "tools" is also managed by the stack "rig"/);
      await expectNoChanges(host);
      projects("alpha");
      await up(host);
      tools("description: T\nconfig: {}\n");
      await expectNoChanges(other);
    } finally {
      await other.dispose();
    }
  });
});

describe("backups", () => {
  test("one that is missing, or older than promised, is drift; up mirrors again", async () => {
    projects({ name: "alpha", backup_max_age: "24h" });
    await up(host);
    await host.run(["rm", "-rf", join(host.backup.path, "alpha")]);
    const { all } = await repoman(host, 0, "preview", "--diff");
    expect(all).toMatch(/freshness\s*: "the copy .* is not there" => "fresh"/);
    await up(host);
    expect(existsSync(join(host.backup.path, "alpha/.git/HEAD"))).toBe(true);
    await expectNoChanges(host);

    projects({ name: "alpha", backup_max_age: "1s" });
    await up(host);
    const { all: overdue } = await repoman(host, 0, "preview", "--diff");
    expect(overdue).toMatch(
      /freshness\s*: "the last good copy is .* old, allowed are 1 s" => "fresh"/,
    );
  });

  test("an emptied repository is refused rather than mirrored", async () => {
    const repo = await host.repo("emptied");
    projects("emptied");
    await up(host);
    await host.run(["sh", "-c", `rm -rf ${repo}/.git ${repo}/*`]);
    const { all } = await repoman(host, 1, "sync", "emptied");
    expect(all).toMatch(/emptied: refused/);
    expect(existsSync(join(host.backup.path, "emptied/.git/HEAD"))).toBe(true);
  });
});
