// `preview`, `up`, `destroy` and `refresh` around the real Pulumi engine.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { ALL, SharedTiny, type TinyHost } from "./tiny/host.ts";

const NEEDED_BY_ALPHA = [
  "IncusProfile-shared",
  "IncusProject-repoman",
  "RepoContainer-alpha",
  "RsyncBackup-alpha",
];

const shared = new SharedTiny();
let host: TinyHost;
beforeEach(() => {
  host = shared.host;
});

const config = (stack = "rig") => join(host.project, `Pulumi.${stack}.yaml`);

shared.scenario("up, preview and destroy", () => {
  test("limited to a project touch only that, and what it needs, also on an empty host", async () => {
    // Variables of the incus client's are ignored, which is said once.
    const env = { INCUS_REMOTE: "build", INCUS_PROJECT: "other" };
    const preview = ["preview", "alpha", "--expect-no-changes"];
    const { exitCode, stderr, all } = await host.repoman(preview, { env });
    expect(exitCode, all).toBe(1);
    expect(stderr).toContain("INCUS_REMOTE and INCUS_PROJECT are ignored");
    expect(all.match(/INCUS_REMOTE/g)).toHaveLength(1);
    expect(host.things()).toEqual([]);
    await host.expectExit(0, "up", "alpha", "--yes", "--skip-preview");
    expect(host.things()).toEqual(NEEDED_BY_ALPHA);
  });

  test("make all and compare it, with exit codes of their own", async () => {
    await host.expectExit(0, "up", "--yes");
    expect(host.things()).toEqual(ALL);
    await host.expectExit(0, "preview", "--expect-no-changes");
    for (const name of ["alpha", "beta"])
      writeFileSync(host.thing(`RepoContainer-${name}`), "drifted");
    const { exitCode, stdout } = await host.repoman(["preview", "--diff", "--expect-no-changes"]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/~ value +: "drifted" => "as declared"/);
  });

  test("call a flag that Pulumi does not know bad usage", async () => {
    await host.expectExit(2, "preview", "--dif");
  });

  test("limited to a project leave the drift of another, and a refresh changes nothing", async () => {
    await host.expectExit(0, "up", "beta", "--yes", "--skip-preview");
    expect(readFileSync(host.thing("RepoContainer-beta"), "utf8")).toBe("as declared");
    await host.expectExit(0, "refresh", "alpha", "--yes", "--skip-preview");
    expect(readFileSync(host.thing("RepoContainer-alpha"), "utf8")).toBe("drifted");
  });

  test("do nothing without --yes where nobody can be asked", async () => {
    for (const command of ["up", "destroy", "refresh"]) {
      const { exitCode, stderr } = await host.repoman([command]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/there is no terminal\n {2}Add --yes, or look first: bin\/repoman /);
    }
    await host.expectExit(0, "destroy", "--preview-only");
    expect(host.things()).toEqual(ALL);
  });

  test("destroy a project alone: one that is no longer declared, or whose registry is broken", async () => {
    host.writeRegistry({ project: [{ name: "alpha" }] });
    await host.expectExit(0, "destroy", "beta", "--yes", "--skip-preview");
    expect(host.things()).toEqual(ALL.filter((name) => !name.endsWith("beta")));
    host.writeRegistry("[[project]\n");
    await host.expectExit(0, "destroy", "--yes", "--skip-preview", "alpha");
    expect(host.things()).toEqual(ALL.filter((name) => !/(alpha|beta)$/.test(name)));
  });

  test("destroy all that is left, and leave no trace of the run", async () => {
    await host.expectExit(0, "destroy", "--yes");
    expect(host.things()).toEqual([]);
    expect(readdirSync(join(host.stackFile(""))).sort()).toEqual(["id", "init.lock", "lock"]);
  });

  test("remove the stack itself when told, which is made again with the same id; what fails in it fails alone, with its own exit code", async () => {
    const id = readFileSync(host.stackFile("id"), "utf8");
    await host.expectExit(0, "destroy", "--yes", "--skip-preview", "--remove");
    expect(existsSync(config())).toBe(false);
    host.begin();
    host.order("RepoContainer-beta", "fail 4");
    await host.expectExit(4, "up", "--yes", "--skip-preview");
    expect(readFileSync(host.stackFile("id"), "utf8")).toBe(id);
    expect(host.things()).toEqual(ALL.filter((name) => name !== "RepoContainer-beta"));
    expect(readdirSync(host.stackFile(""))).not.toContainEqual(expect.stringMatching(/^report/));
  });
});

describe("before Pulumi starts", () => {
  test("a name that is not declared is refused, with the nearest", async () => {
    const { exitCode, stderr } = await host.repoman(["up", "alhpa", "--yes"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^error: .*repoman\.toml has no project "alhpa"\n {2}Did you mean alpha\? It has: alpha, beta\.\n$/,
    );
    expect(existsSync(config())).toBe(false);
  });

  test("no stack is invented in order to destroy it", async () => {
    const named = await host.repoman(["destroy", "--yes", "--stack", "dmeo"]);
    expect(named).toMatchObject({
      exitCode: 2,
      stderr:
        'error: there is no stack "dmeo"\n' +
        "  There is none yet. `up`, `preview`, `env` and `setup` make a new one.\n",
    });
    const own = await host.repoman(["destroy", "--yes"]);
    expect(own).toMatchObject({
      exitCode: 0,
      stderr: 'There is no stack "rig", so nothing to destroy. There is none yet.\n',
    });
  });

  test("what is wrong in the registry is told at once, all of it", async () => {
    host.writeRegistry('[defaults]\nrepos_rot = "/x"\n[[project]]\nname = "-rf"\n');
    const { exitCode, all } = await host.repoman(["preview"]);
    expect(exitCode).toBe(1);
    expect(all).toMatch(/^error: \d problems in the registry/);
    expect(all).toContain("repoman.toml:2:1: ");
    expect(all).toContain("repos_root");
    expect(all).not.toMatch(/Previewing| {4}at /);
  });

  test("that Incus is out of reach is told before anything is made, with exit code 3", async () => {
    const env = { INCUS_DIR: join(host.home, "no-incus") };
    const { exitCode, all } = await host.repoman(["up", "--yes"], { env });
    expect(exitCode).toBe(3);
    expect(all).toMatch(/^error: .*no-incus\/unix\.socket/);
    expect(all).not.toMatch(/Previewing| {4}at /);
    expect(host.things()).toEqual([]);
  });
});
