// Coming from the bash script: its containers are found, shown as what they would become, and the
// command that is named takes them over. And the registry on disks that cannot be written.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { addProject } from "../../registry/edit/edits.ts";
import { editRegistry } from "../../registry/edit/file.ts";
import { instance, repoman, Shared } from "../engine/estate.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";

const shared = new Shared({ images: ["busybox"], repos: ["web-project", "api", "lib"] });
let daemon: Daemon;
let host: Host;

beforeAll(() => {
  ({ daemon, host } = shared);
});

const file = () => join(host.home, ".config/repoman/repoman.toml");

/** As the bash script made them. */
async function prototype(name: string, sources: string[]): Promise<void> {
  const devices = sources.map((source, index) => [
    `repo${index}`,
    { type: "disk", source: join(host.reposRoot, source), path: `/mnt/${source}`, shift: "true" },
  ]);
  await daemon.api("POST", "/1.0/instances?project=default", {
    name,
    type: "container",
    source: { type: "image", alias: "busybox" },
    profiles: ["default"],
    devices: Object.fromEntries(devices),
    start: false,
  });
}

test("the bash script's containers are shown as entries, and adopted by what is printed", async () => {
  host.writeRegistry(
    `# mine\n[defaults]\nrepos_root = "${host.reposRoot}"\ndefault_image = "busybox"\n`,
  );
  const nothing = await repoman(host, 0, "migrate", "--from-bash");
  expect(nothing.stdout).toContain('No container in the Incus project "default"');

  await prototype("web", ["web-project"]);
  await prototype("both", ["api", "lib"]);
  await prototype("elsewhere", []);
  const before = readFileSync(file(), "utf8");
  const { stdout } = await repoman(host, 0, "migrate", "--from-bash");
  expect(stdout).toContain(
    'web (stopped)\n  [[project]]\n  name = "web"\n  repo = "web-project"\n',
  );
  expect(stdout).toContain("  bin/repoman adopt web --from-project default\n");
  expect(stdout).toContain(
    `  bin/repoman adopt both --from-project default --repo ${host.reposRoot}/api\n`,
  );
  expect(stdout).toContain("neither backup_root in [defaults] nor NFS_REPOS says where to");
  expect(stdout).not.toContain("elsewhere");
  const found = JSON.parse((await repoman(host, 0, "migrate", "--from-bash", "--json")).stdout);
  expect(found).toMatchObject([
    { name: "both", repositories: ["api", "lib"].map((each) => join(host.reposRoot, each)) },
    {
      name: "web",
      state: "Stopped",
      entry: { name: "web", repo: "web-project", path: "/mnt/web-project" },
      command: "bin/repoman adopt web --from-project default",
    },
  ]);
  // Nothing was changed by looking.
  expect(readFileSync(file(), "utf8")).toBe(before);
  expect((await instance(daemon, "web", "default")).config).not.toHaveProperty(
    "user.repoman.stack",
  );

  await repoman(host, 0, "adopt", "web", "--from-project", "default", "--yes");
  const left = JSON.parse((await repoman(host, 0, "migrate", "--from-bash", "--json")).stdout);
  expect(left.map((each: { name: string }) => each.name)).toEqual(["both"]);
});

test("a registry on a disk that is full or read-only stays as it is", async () => {
  const folder = join(host.home, "small");
  const registry = join(folder, "repoman.toml");
  mkdirSync(folder);
  await mount("-t", "tmpfs", "-o", "size=16k", "none", folder);
  try {
    const text = '[[project]]\nname = "alpha"\n';
    writeFileSync(registry, text);
    const env = { HOME: host.home };
    const large = addProject({ name: "beta", description: "x".repeat(20_000) });
    const full = editRegistry(registry, large, { env });
    await expect(full).rejects.toMatchObject({ exitCode: 3 });
    await expect(full).rejects.toThrow("the disk is full");
    expect(readFileSync(registry, "utf8")).toBe(text);
    await editRegistry(registry, addProject({ name: "beta" }), { env });

    await mount("-o", "remount,ro", folder);
    const closed = editRegistry(registry, addProject({ name: "gamma" }), { env });
    await expect(closed).rejects.toMatchObject({ exitCode: 3 });
    await expect(closed).rejects.toThrow("read-only");
    expect(readFileSync(registry, "utf8")).toContain("beta");
  } finally {
    await unmountBelow(folder);
  }
});
