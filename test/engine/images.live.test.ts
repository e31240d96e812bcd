// What becomes of containers when their image, Pulumi's state or their owner is another.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Daemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { fingerprintOf, setAlias } from "../rig/images.ts";
import { expectNoChanges, instance, instanceNames, repoman, Shared, up } from "./estate.ts";

const estate = new Shared();
const projects: Shared["projects"] = (...list) => estate.projects(...list);
const uuid = (name: string) => estate.uuid(name);
let daemon: Daemon;
let host: Host;
beforeEach(() => {
  ({ daemon, host } = estate);
});

describe("images", () => {
  test("a changed one is a replacement that says so; the new container takes the place", async () => {
    projects({ name: "alpha", image: "busybox" });
    await up(host);
    const old = await uuid("alpha");
    await host.sh("alpha", "echo kept > /root/mine");
    projects({ name: "alpha", image: "busybox/other" });
    const { all } = await repoman(host, 0, "preview", "--diff");
    expect(all).toMatch(/RepoContainer: \(replace\)/);
    expect(all).toMatch(/image\s*: "busybox" => "busybox\/other"/);
    await up(host);
    expect(await instanceNames(daemon)).toEqual(["alpha"]);
    expect(await uuid("alpha")).not.toBe(old);
    expect((await host.sh("alpha", "cat /etc/image")).stdout).toBe("busybox/other\n");
    await expectNoChanges(host);
  });

  test("where the new one cannot start, the old one is back, running", async () => {
    projects({ name: "alpha", image: "busybox" });
    await up(host);
    const old = await uuid("alpha");
    projects({ name: "alpha", image: "broken" });
    const { all } = await repoman(host, 1, "up", "--yes", "--skip-preview");
    expect(all).toMatch(
      /the replacement from image "broken" did not come up, so the old container is back/,
    );
    expect(await instanceNames(daemon)).toEqual(["alpha"]);
    expect(await instance(daemon, "alpha")).toMatchObject({ status: "Running" });
    expect(await uuid("alpha")).toBe(old);
    projects({ name: "alpha", image: "busybox" });
    await expectNoChanges(host);
  });

  test("an alias that moved on the server changes nothing", async () => {
    projects({ name: "alpha", image: "busybox" });
    await up(host);
    const [before, other] = [
      await fingerprintOf(daemon, "busybox"),
      await fingerprintOf(daemon, "busybox/other"),
    ];
    await setAlias(daemon, "busybox", other);
    try {
      await expectNoChanges(host);
    } finally {
      await setAlias(daemon, "busybox", before);
    }
  });
});

describe("Pulumi's state", () => {
  test("lost altogether, up takes everything back and makes no container anew", async () => {
    host.write(".config/repoman/profiles.d/tools.yml", "description: T\nconfig: {}\n");
    projects({ name: "alpha", profiles: ["default", "tools"] }, "beta");
    await up(host);
    const before = [await uuid("alpha"), await uuid("beta")];
    await host.run(["rm", "-rf", join(host.home, ".local/state/repoman/pulumi")]);
    await up(host);
    expect([await uuid("alpha"), await uuid("beta")]).toEqual(before);
    await expectNoChanges(host);
  });

  test("holds no secret and no code but the constant that finds the handlers", async () => {
    host.write(".config/repoman/profiles.d/tools.yml", "description: T\nconfig: {}\n");
    projects({ name: "alpha", profiles: ["default", "tools"] });
    await up(host);
    const deployment = host.deployment("rig");
    const passphrase = readFileSync(
      join(host.home, ".local/state/repoman/passphrase"),
      "utf8",
    ).trim();
    const id = readFileSync(join(host.home, ".local/state/repoman/stacks/rig/id"), "utf8").trim();
    expect(JSON.stringify(deployment)).not.toContain(passphrase);
    const resources = deployment.resources as { urn: string; inputs?: Record<string, unknown> }[];
    for (const { inputs } of resources) {
      if (!inputs?.__provider) continue;
      expect(String(inputs.__provider).length).toBeLessThanOrEqual(300);
      expect(inputs).toMatchObject({ owner: { id, stack: "rig" } });
    }
    // A change of any of these deletes people's containers, unless an alias goes with it.
    const estate = "urn:pulumi:rig::repoman::repoman:index:Estate";
    expect(resources.map(({ urn }) => urn).sort()).toEqual(
      [
        "urn:pulumi:rig::repoman::pulumi:pulumi:Stack::repoman-rig",
        "urn:pulumi:rig::repoman::pulumi:providers:pulumi-nodejs::default",
        `${estate}::rig`,
        `${estate}$pulumi-nodejs:dynamic/repoman:IncusProject::repoman`,
        `${estate}$repoman:index:ProfileLibrary::rig`,
        `${estate}$repoman:index:ProfileLibrary$pulumi-nodejs:dynamic/repoman:IncusProfile::tools`,
        `${estate}$repoman:index:Workspace::alpha`,
        `${estate}$repoman:index:Workspace$pulumi-nodejs:dynamic/repoman:RepoContainer::alpha`,
        `${estate}$repoman:index:Workspace$pulumi-nodejs:dynamic/repoman:RsyncBackup::alpha`,
      ].sort(),
    );
  });
});

describe("what repoman did not make", () => {
  test("is refused before anything changes, with how to adopt it; marked, it stays what it was", async () => {
    projects("alpha", "beta");
    await daemon.api("POST", "/1.0/projects", {
      name: "repoman",
      config: { "features.images": "false", "features.profiles": "false" },
    });
    const { all } = await repoman(host, 4, "up", "--yes");
    expect(all).toMatch(/the Incus project "repoman" exists and repoman did not make it/);
    const adoptProject = /incus (project set .*)/.exec(all)?.[1]?.trim().split(" ") ?? [];
    await host.run(["incus", ...adoptProject]);

    await daemon.api("POST", "/1.0/instances?project=repoman", {
      name: "beta",
      type: "container",
      source: { type: "image", alias: "busybox" },
    });
    const before = await uuid("beta");
    const { all: refused } = await repoman(host, 4, "up", "--yes");
    expect(refused).toMatch(
      /an instance "beta" exists in the Incus project "repoman" and repoman did not make it/,
    );
    expect(refused).not.toMatch(/^\s+at /m);
    expect(await instanceNames(daemon)).toEqual(["beta"]);
    expect(refused).toMatch(/take the entry out of the registry, then: repoman adopt beta/);
    // What carries the stack's mark is taken over, whoever has put it there.
    const { metadata: project } = await daemon.api("GET", "/1.0/projects/repoman");
    const mark = `user.repoman.stack=${project.config["user.repoman.stack"]}`;
    const marks = [mark, "user.repoman.name=beta", "user.repoman.image=busybox"];
    await host.run(["incus", "config", "set", "--project", "repoman", "beta", ...marks]);
    await up(host);
    expect(await uuid("beta")).toBe(before);
    await expectNoChanges(host);
  });

  test("another stack's container is named as such", async () => {
    projects("alpha");
    await up(host);
    const other = await makeHost({ user: "dev", daemon });
    await other.repo("alpha");
    other.writeRegistry({ project: [{ name: "alpha" }] });
    const { all } = await repoman(other, 4, "preview");
    expect(all).toMatch(/belongs to the stack "rig" \(id [0-9a-f]+\)/);
    await other.dispose();
  });
});
