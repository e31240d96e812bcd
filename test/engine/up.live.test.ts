// From an empty host to an estate that is as declared, and back.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { instance, instanceNames, repoman, STACK, up } from "./estate.ts";

let daemon: Daemon;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
});
afterAll(() => daemon?.dispose());

describe.each(["dev", "root"] as const)("for %s", (user) => {
  let host: Host;

  beforeAll(async () => {
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
  afterAll(() => host?.dispose());

  test("up brings an empty host to what the registry says", async () => {
    if (user === "dev") await repoman(host, 0, "up", "--yes");
    else await up(host);
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

  test("a second up changes nothing", async () => {
    const before = await instance(daemon, "alpha");
    const { all } = await up(host);
    expect(all).toMatch(/\d+ unchanged/);
    expect(all).not.toMatch(/\d+ (updated|created|replaced|deleted)/);
    expect(await instance(daemon, "alpha")).toEqual(before);
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
    if (host.user.uid === 0) expect(uid).toBe(0);
    else expect(uid).toBeGreaterThanOrEqual(100_000);
  });

  test("a preview changes nothing, and a mirror by hand in between is no drift", async () => {
    const before = await instance(daemon, "alpha");
    await host.run(["sh", "-c", `echo more > ${join(host.reposRoot, "work/beta/more")}`]);
    const { stdout } = await repoman(host, 0, "sync", "beta");
    expect(stdout).toMatch(/^beta: ok \(1 file, 5 B, 0 deleted, [\d.]+ s\)$/m);
    expect(readFileSync(join(host.backup.path, "work/beta/more"), "utf8")).toBe("more\n");
    const { all } = await repoman(host, 0, "preview", "--expect-no-changes");
    expect(await instance(daemon, "alpha")).toEqual(before);
    // A repository of root's leaves no safe mapping, and that is said; everybody else's does.
    const warning =
      /the repositories of alpha, beta belong to root, so they are mounted with shift/;
    if (host.user.uid === 0) expect(all).toMatch(warning);
    else expect(all).not.toMatch(warning);
  });

  test("destroy takes the estate away, and leaves repositories, backups and all that is not ours", async () => {
    await daemon.api("POST", "/1.0/instances", {
      name: `${user}s`,
      type: "container",
      source: { type: "image", alias: "busybox" },
    });
    await daemon.api("POST", "/1.0/profiles", { name: `${user}s`, config: {}, devices: {} });
    const others = user === "dev" ? ["devs"] : ["devs", "roots"];
    // Nothing of root's is done otherwise, but for what is asked and shown before it.
    await repoman(host, 0, "destroy", "--yes", ...(user === "dev" ? [] : ["--skip-preview"]));
    const projects = (await daemon.api("GET", "/1.0/projects")).metadata;
    expect(projects).toEqual(["/1.0/projects/default"]);
    const profiles = (await daemon.api("GET", "/1.0/profiles")).metadata;
    const left = ["default", ...others].map((name) => `/1.0/profiles/${name}`);
    expect(profiles.sort()).toEqual(left.sort());
    expect(await instanceNames(daemon, "default")).toEqual(others);
    expect((await daemon.api("GET", "/1.0/images")).metadata).toHaveLength(1);
    expect(existsSync(join(host.reposRoot, "alpha/.git/HEAD"))).toBe(true);
    expect(existsSync(join(host.backup.path, "alpha/.git/HEAD"))).toBe(true);
    // A second one has nothing to do, and nothing to complain of.
    const { all } = await repoman(host, 0, "destroy", "--yes", "--skip-preview");
    expect(all).not.toMatch(/error|warning/);
  });
});
