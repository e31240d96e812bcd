// What becomes of containers when their image, Pulumi's state or their owner is another. One estate
// lives through all of it: it is taken over, gets other images and loses its state.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { fingerprintOf, setAlias } from "../rig/images.ts";
import { expectNoChanges, instance, instanceNames, repoman, Shared, up } from "./estate.ts";

const estate = new Shared({ repos: ["alpha", "beta"] });
const uuid = (name: string) => estate.uuid(name);
let daemon: Daemon;
let host: Host;

/** The estate with this image for alpha. */
function declare(image: string): void {
  estate.projects({ name: "alpha", image, profiles: ["default", "tools"] }, "beta");
}

beforeAll(() => {
  ({ daemon, host } = estate);
  host.write(".config/repoman/profiles.d/tools.yml", "description: T\nconfig: {}\n");
  declare("busybox");
});

describe("what repoman did not make", () => {
  test("is refused before anything changes, with how to adopt it; marked, it stays what it was", async () => {
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
    expect(refused).toMatch(/take the entry out of the registry, then: bin\/repoman adopt beta/);
    // What carries the stack's mark is taken over, whoever has put it there.
    const { metadata: project } = await daemon.api("GET", "/1.0/projects/repoman");
    const mark = `user.repoman.stack=${project.config["user.repoman.stack"]}`;
    const marks = [mark, "user.repoman.name=beta", "user.repoman.image=busybox"];
    await host.run(["incus", "config", "set", "--project", "repoman", "beta", ...marks]);
    await up(host);
    expect(await uuid("beta")).toBe(before);
  });
});

test("Pulumi's state holds no secret and no code but the constant that finds the handlers", async () => {
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
      ...["alpha", "beta"].flatMap((name) => [
        `${estate}$repoman:index:Workspace::${name}`,
        `${estate}$repoman:index:Workspace$pulumi-nodejs:dynamic/repoman:RepoContainer::${name}`,
        `${estate}$repoman:index:Workspace$pulumi-nodejs:dynamic/repoman:RsyncBackup::${name}`,
      ]),
    ].sort(),
  );
});

describe("images", () => {
  test("where the new one cannot start, the old one is back, running", async () => {
    const old = await uuid("alpha");
    declare("broken");
    const { all } = await repoman(host, 1, "up", "--yes", "--skip-preview");
    expect(all).toMatch(
      /the replacement from image "broken" did not come up, so the old container is back/,
    );
    expect(await instanceNames(daemon)).toEqual(["alpha", "beta"]);
    expect(await instance(daemon, "alpha")).toMatchObject({ status: "Running" });
    expect(await uuid("alpha")).toBe(old);
    declare("busybox");
  });

  test("an alias that moved on the server changes nothing, nor does what failed before", async () => {
    const before = await fingerprintOf(daemon, "busybox");
    await setAlias(daemon, "busybox", await fingerprintOf(daemon, "busybox/other"));
    try {
      await expectNoChanges(host);
    } finally {
      await setAlias(daemon, "busybox", before);
    }
  });

  test("a changed one is a replacement that says so; the new container takes the place", async () => {
    const old = await uuid("alpha");
    declare("busybox/other");
    const { all } = await repoman(host, 0, "preview", "--diff");
    expect(all).toMatch(/RepoContainer: \(replace\)/);
    expect(all).toMatch(/image\s*: "busybox" => "busybox\/other"/);
    await up(host);
    expect(await instanceNames(daemon)).toEqual(["alpha", "beta"]);
    expect(await uuid("alpha")).not.toBe(old);
    expect((await host.sh("alpha", "cat /etc/image")).stdout).toBe("busybox/other\n");
  });
});

test("with Pulumi's state lost altogether, up takes everything back and makes no container anew", async () => {
  const before = [await uuid("alpha"), await uuid("beta")];
  await host.run(["rm", "-rf", join(host.home, ".local/state/repoman/pulumi")]);
  await up(host);
  expect([await uuid("alpha"), await uuid("beta")]).toEqual(before);
  await expectNoChanges(host);
});
