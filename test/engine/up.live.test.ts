// From an empty host to an estate that is as declared, and back.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { expectNoChanges, instance, instanceNames, repoman, STACK, up } from "./estate.ts";

describe.each(["dev", "root"] as const)("for %s", (user) => {
  let daemon: Daemon;
  let host: Host;

  beforeAll(async () => {
    daemon = await startDaemon();
    await importImages(daemon, ["busybox"]);
    host = await makeHost({ user, daemon });
    await host.repo("alpha", { "README.md": "alpha\n" });
    await host.repo("work/beta");
    host.write(
      ".config/repoman/profiles.d/tools.yml",
      "description: Tools\nconfig:\n  limits.memory: 256MiB\n",
    );
    host.writeRegistry({
      project: [
        { name: "alpha", profiles: ["default", "tools"], env: { COLOUR: "blue" } },
        { name: "beta", repo: "work/beta" },
      ],
    });
  });
  afterAll(async () => {
    await host?.dispose();
    await daemon?.dispose();
  });

  test("up brings an empty host to what the registry says", async () => {
    await repoman(host, 0, "up", "--yes");
    expect(await instanceNames(daemon)).toEqual(["alpha", "beta"]);
    const output = await host.pulumi(["stack", "output", "--json"], {
      env: { PULUMI_STACK: STACK },
    });
    expect(output.exitCode, output.all).toBe(0);
    const { containers, backups, profiles, orphans } = JSON.parse(output.stdout);
    expect(containers.alpha).toEqual({
      state: "Running",
      ipv4: expect.stringMatching(/^10\./),
      image: "busybox",
      profiles: ["default", "tools"],
      repo: join(host.reposRoot, "alpha"),
      path: join(host.reposRoot, "alpha"),
    });
    expect(backups.beta).toMatchObject({
      result: "ok",
      destination: join(host.backup.path, "work/beta"),
      lastSync: expect.stringMatching(/^20\d\d-/),
    });
    expect(profiles).toEqual(["tools"]);
    expect(orphans).toEqual([]);
    expect(readFileSync(join(host.backup.path, "alpha/README.md"), "utf8")).toBe("alpha\n");
  });

  test("a second up and a preview change nothing", async () => {
    const before = await instance(daemon, "alpha");
    const { all } = await up(host);
    expect(all).toMatch(/\d+ unchanged/);
    expect(all).not.toMatch(/\d+ (updated|created|replaced|deleted)/);
    await expectNoChanges(host);
    expect(await instance(daemon, "alpha")).toEqual(before);
  });

  test("a mirror by hand in between is no drift", async () => {
    await host.run(["sh", "-c", `echo more > ${join(host.reposRoot, "alpha/more")}`]);
    const { stdout } = await repoman(host, 0, "sync", "alpha");
    expect(stdout).toMatch(/^alpha: ok \(1 file, 5 B, 0 deleted, [\d.]+ s\)$/m);
    expect(readFileSync(join(host.backup.path, "alpha/more"), "utf8")).toBe("more\n");
    await expectNoChanges(host);
  });

  test("the user inside is the user outside, and their files are the same", async () => {
    const { uid, gid, name } = host.user;
    const repo = join(host.reposRoot, "alpha");
    const options = { uid, gid, cwd: repo };
    const inside = await host.sh(
      "alpha",
      'pwd; id -un; id -u; id -g; echo made > inside; echo "$COLOUR"',
      options,
    );
    expect(inside.all).toBe(`${repo}\n${name}\n${uid}\n${gid}\nblue\n`);
    expect(statSync(join(repo, "inside"))).toMatchObject({ uid, gid });

    await host.run(["sh", "-c", `echo host > ${repo}/outside`]);
    const back = await host.sh(
      "alpha",
      "stat -c %u:%g outside; echo more >> outside && cat outside",
      options,
    );
    expect(back.all).toBe(`${uid}:${gid}\nhost\nmore\n`);
  });

  test("the home inside, and the way from it to the repository, are the user's", async () => {
    const { uid, gid, home } = host.user;
    if (uid === 0) return;
    const { all } = await host.sh(
      "alpha",
      `stat -c %u:%g ${home} ${host.reposRoot}; touch ${home}/x && echo yes`,
      {
        uid,
        gid,
      },
    );
    expect(all).toBe(`${uid}:${gid}\n${uid}:${gid}\nyes\n`);
  });

  test("root inside cannot leave a file of root's that is setuid on the host", async () => {
    const repo = join(host.reposRoot, "alpha");
    await host.sh("alpha", `cp /bin/busybox ${repo}/trap && chmod 4755 ${repo}/trap`);
    const { uid, mode } = statSync(join(repo, "trap"));
    expect(mode & 0o4000).toBe(0o4000);
    // A repository of root's leaves no safe mapping, and that is said; everybody else's does.
    const { all } = await repoman(host, 0, "preview");
    const warning =
      /the repositories of alpha, beta belong to root, so they are mounted with shift/;
    if (host.user.uid === 0) {
      expect(uid).toBe(0);
      expect(all).toMatch(warning);
      return;
    }
    expect(all).not.toMatch(warning);
    expect(uid).toBeGreaterThanOrEqual(100_000);
  });

  test("destroy takes the estate away, and leaves repositories, backups and all that is not ours", async () => {
    await daemon.api("POST", "/1.0/instances", {
      name: "mine",
      type: "container",
      source: { type: "image", alias: "busybox" },
    });
    await daemon.api("POST", "/1.0/profiles", { name: "mine", config: {}, devices: {} });
    await repoman(host, 0, "destroy", "--yes");
    const projects = (await daemon.api("GET", "/1.0/projects")).metadata;
    expect(projects).toEqual(["/1.0/projects/default"]);
    const profiles = (await daemon.api("GET", "/1.0/profiles")).metadata;
    expect(profiles.sort()).toEqual(["/1.0/profiles/default", "/1.0/profiles/mine"]);
    expect(await instanceNames(daemon, "default")).toEqual(["mine"]);
    expect((await daemon.api("GET", "/1.0/images")).metadata).toHaveLength(1);
    expect(existsSync(join(host.reposRoot, "alpha/.git/HEAD"))).toBe(true);
    expect(existsSync(join(host.backup.path, "alpha/.git/HEAD"))).toBe(true);
    expect((await repoman(host, 0, "destroy", "--yes")).all).not.toMatch(/error|warning/);
  });
});
