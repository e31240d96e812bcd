// The command line around the real Pulumi engine, with the tiny estate as its program.

import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Running } from "../rig/command.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { until } from "../rig/place.ts";
import { makeTinyHost, type TinyHost } from "./tiny/host.ts";

const ALL = [
  "IncusProfile-other",
  "IncusProfile-shared",
  "IncusProject-repoman",
  "RepoContainer-alpha",
  "RepoContainer-beta",
  "RsyncBackup-alpha",
  "RsyncBackup-beta",
];
const NEEDED_BY_ALPHA = [
  "IncusProfile-shared",
  "IncusProject-repoman",
  "RepoContainer-alpha",
  "RsyncBackup-alpha",
];

let daemon: Daemon;
let host: TinyHost;

beforeAll(async () => {
  daemon = await startDaemon({ bare: true });
}, 60_000);
afterAll(() => daemon?.dispose());
beforeEach(async () => {
  host = await makeTinyHost(daemon);
  return () => host.dispose();
}, 60_000);

/** Runs repoman, and shows what it said where it does not end as expected. */
async function expectExit(
  code: number,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { exitCode, all } = await host.repoman(args, { env });
  expect(exitCode, all).toBe(code);
}

const config = (stack = "rig") => join(host.project, `Pulumi.${stack}.yaml`);

describe("a stack's first use", () => {
  test("makes it with an id that is kept twice, and says so once", async () => {
    const first = await host.repoman(["env"]);
    expect(first).toMatchObject({ exitCode: 0, stderr: 'Made the stack "rig".\n' });
    const id = readFileSync(host.stackFile("id"), "utf8").trim();
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(readFileSync(config(), "utf8")).toMatch(
      new RegExp(`^config:\n  repoman:stackId: "?${id}"?$`, "m"),
    );

    const text = readFileSync(config(), "utf8");
    expect(await host.repoman(["env"])).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: first.stdout,
    });
    expect(readFileSync(config(), "utf8")).toBe(text);
  });

  test("by several at once makes one", async () => {
    const runs = await Promise.all([1, 2, 3].map(() => host.repoman(["env"])));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(runs.filter(({ stderr }) => stderr.includes("Made the stack"))).toHaveLength(1);
    expect(readFileSync(config(), "utf8")).toContain(
      readFileSync(host.stackFile("id"), "utf8").trim(),
    );
  });

  test("prints an environment in which plain pulumi works, and no secret", async () => {
    const { stdout } = await host.repoman(["env"]);
    const script = `eval "$1"; [ "$PULUMI_STACK" = rig ] && cd "$REPOMAN_ROOT" && pulumi up --yes --skip-preview`;
    const up = await host.run(["sh", "-c", script, "sh", stdout]);
    expect(up).toMatchObject({ exitCode: 0 });
    expect(host.things()).toEqual(ALL);
    const passphrase = readFileSync(
      join(host.home, ".local/state/repoman/passphrase"),
      "utf8",
    ).trim();
    expect(stdout).not.toContain(passphrase);
  });

  test("restores the id from whichever place still has it", async () => {
    await host.repoman(["up", "--yes"]);
    const id = readFileSync(host.stackFile("id"), "utf8");

    rmSync(config());
    await host.repoman(["env"]);
    expect(readFileSync(config(), "utf8")).toContain(id.trim());

    rmSync(host.stackFile("id"));
    await host.repoman(["env"]);
    expect(readFileSync(host.stackFile("id"), "utf8")).toBe(id);

    rmSync(config());
    rmSync(host.stackFile("id"));
    await host.repoman(["env"]);
    expect(readFileSync(host.stackFile("id"), "utf8")).toBe(id);
    await expectExit(0, ["preview", "--expect-no-changes"]);
  });

  test("refuses two ids rather than choosing one", async () => {
    await host.repoman(["env"]);
    writeFileSync(host.stackFile("id"), "another-id-than-that\n");
    const { exitCode, stderr } = await host.repoman(["preview"]);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(
      /^error: the id of the stack "rig" is [0-9a-f]{16} in .*Pulumi\.rig\.yaml and another-id-than-that in /,
    );
  });

  test("records the registry that it is given, and says when that changes", async () => {
    const other = host.write(
      "other/repoman.toml",
      readFileSync(join(host.home, ".config/repoman/repoman.toml"), "utf8"),
    );
    await host.repoman(["env", "--registry", "../../../.config/repoman/repoman.toml"], {
      cwd: join(host.home, "repos/alpha/.git"),
    });
    const before = join(host.home, ".config/repoman/repoman.toml");
    expect(readFileSync(config(), "utf8")).toContain(`repoman:registry: ${before}\n`);
    const { stderr } = await host.repoman(["preview", "--registry", other]);
    expect(stderr).toContain(`The stack "rig" now follows ${other} (before: ${before}).\n`);
    expect(readFileSync(config(), "utf8")).toContain(`repoman:registry: ${other}\n`);
    expect((await host.repoman(["preview"])).stderr).not.toContain("now follows");
  });
});

describe("up, preview and destroy", () => {
  test("make, compare and remove, with exit codes of their own", async () => {
    await expectExit(0, ["preview"]);
    await expectExit(1, ["preview", "--expect-no-changes"]);
    expect(host.things()).toEqual([]);
    await expectExit(0, ["up", "--yes"]);
    expect(host.things()).toEqual(ALL);
    await expectExit(0, ["preview", "--expect-no-changes"]);
    writeFileSync(host.thing("RepoContainer-alpha"), "drifted");
    const { exitCode, stdout } = await host.repoman(["preview", "--diff", "--expect-no-changes"]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/~ value +: "drifted" => "as declared"/);
    await expectExit(0, ["destroy", "--yes"]);
    expect(host.things()).toEqual([]);
    await expectExit(0, ["destroy", "--yes"]);
    expect(readdirSync(join(host.stackFile(""))).sort()).toEqual(["id", "init.lock", "lock"]);
  });

  test("limited to a project touch only that, and what it needs, also on an empty host", async () => {
    await expectExit(0, ["preview", "alpha"]);
    await expectExit(0, ["up", "alpha", "--yes"]);
    expect(host.things()).toEqual(NEEDED_BY_ALPHA);

    await host.repoman(["up", "--yes"]);
    for (const name of ["alpha", "beta"])
      writeFileSync(host.thing(`RepoContainer-${name}`), "drifted");
    await host.repoman(["up", "beta", "--yes"]);
    expect(readFileSync(host.thing("RepoContainer-alpha"), "utf8")).toBe("drifted");
    expect(readFileSync(host.thing("RepoContainer-beta"), "utf8")).toBe("as declared");
    await expectExit(0, ["refresh", "alpha", "--yes"]);

    await expectExit(0, ["destroy", "--yes", "alpha"]);
    expect(host.things()).toEqual(ALL.filter((name) => !name.endsWith("alpha")));
  });

  test("refuse a name that is not declared, and name the nearest", async () => {
    const { exitCode, stderr } = await host.repoman(["up", "alhpa", "--yes"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^error: .*repoman\.toml has no project "alhpa"\n {2}Did you mean alpha\? It has: alpha, beta\.\n$/,
    );
    expect(existsSync(config())).toBe(false);
  });

  test("destroy a project that the registry no longer declares, or whose registry is broken", async () => {
    await host.repoman(["up", "--yes"]);
    host.writeRegistry({ project: [{ name: "alpha" }] });
    await expectExit(0, ["destroy", "beta", "--yes"]);
    host.writeRegistry("[[project]\n");
    await expectExit(0, ["destroy", "alpha", "--yes"]);
    await expectExit(0, ["destroy", "--yes"]);
    expect(host.things()).toEqual([]);
  });

  test("do nothing without --yes where nobody can be asked", async () => {
    await host.repoman(["up", "--yes"]);
    for (const command of ["up", "destroy", "refresh"]) {
      const { exitCode, stderr } = await host.repoman([command]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/there is no terminal\n {2}Add --yes, or look first: repoman /);
    }
    expect(host.things()).toEqual(ALL);
    await expectExit(0, ["destroy", "--preview-only"]);
    expect(host.things()).toEqual(ALL);
  });

  test("do not invent a stack in order to destroy it", async () => {
    const named = await host.repoman(["destroy", "--yes", "--stack", "dmeo"]);
    expect(named).toMatchObject({
      exitCode: 2,
      stderr: 'error: there is no stack "dmeo"\n  There is none yet.\n',
    });
    const own = await host.repoman(["destroy", "--yes"]);
    expect(own).toMatchObject({
      exitCode: 0,
      stderr: 'There is no stack "rig", so nothing to destroy. There is none yet.\n',
    });
  });

  test("remove the stack itself when told, and make it again with the same id", async () => {
    await host.repoman(["env"]);
    const id = readFileSync(host.stackFile("id"), "utf8");
    await expectExit(0, ["destroy", "--yes", "--remove"]);
    expect(existsSync(config())).toBe(false);
    await expectExit(0, ["up", "--yes"]);
    expect(readFileSync(host.stackFile("id"), "utf8")).toBe(id);
  });

  test("call a flag that Pulumi does not know bad usage", async () => {
    await expectExit(2, ["preview", "--dif"]);
    await expectExit(0, ["preview", "--diff"]);
  });
});

describe("what fails", () => {
  test.each([1, 3, 4])("with a reported exit code exits with it: %i", async (code) => {
    host.order("RepoContainer-beta", `fail ${code}`);
    await expectExit(code, ["up", "--yes"]);
    expect(host.things()).toEqual(ALL.filter((name) => name !== "RepoContainer-beta"));
    expect(readdirSync(host.stackFile(""))).not.toContainEqual(expect.stringMatching(/^report/));
  });

  test("in the registry is told at once, all of it, without starting Pulumi", async () => {
    host.writeRegistry('[defaults]\nrepos_rot = "/x"\n[[project]]\nname = "-rf"\n');
    const { exitCode, all } = await host.repoman(["preview"]);
    expect(exitCode).toBe(1);
    expect(all).toMatch(/^error: \d problems in the registry/);
    expect(all).toContain("repoman.toml:2:1: ");
    expect(all).toContain("repos_root");
    expect(all).not.toMatch(/Previewing| {4}at /);
  });

  test("in reaching Incus is told before anything is made, with exit code 3", async () => {
    const alone = await makeTinyHost();
    try {
      const { exitCode, all } = await alone.repoman(["up", "--yes"]);
      expect(exitCode).toBe(3);
      expect(all).toMatch(/^error: .*no-incus\/unix\.socket/);
      expect(all).not.toMatch(/Previewing| {4}at /);
      expect(alone.things()).toEqual([]);
    } finally {
      await alone.dispose();
    }
  });

  test("says that the incus client's variables are ignored, once", async () => {
    const env = { INCUS_REMOTE: "build", INCUS_PROJECT: "other" };
    const { stderr, exitCode, all } = await host.repoman(["preview"], { env });
    expect(exitCode).toBe(0);
    expect(stderr).toContain("INCUS_REMOTE and INCUS_PROJECT are ignored");
    expect(all.match(/INCUS_REMOTE/g)).toHaveLength(1);
  });
});

describe("two at once", () => {
  test("work one after the other: the second is told who holds the stack, and may preview", async () => {
    host.order("RepoContainer-alpha", "hold");
    const first = await atWork("up");
    const second = await host.repoman(["up", "--yes"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain(
      `error: the stack "rig" is in use: repoman up (pid ${first.pid}) is at work on it\n`,
    );
    await expectExit(0, ["preview"]);
    host.order("RepoContainer-alpha", "");
    expect(await first.done).toMatchObject({ exitCode: 0 });
  });

  test("is a plain pulumi respected, by name of its process", async () => {
    host.order("RepoContainer-alpha", "hold");
    await host.repoman(["env"]);
    const { stdout } = await host.repoman(["env"]);
    const plain = host.spawn([
      "sh",
      "-c",
      `eval "$1"; exec pulumi up --yes --skip-preview`,
      "sh",
      stdout,
    ]);
    await until("the first thing", () => host.things().includes("RepoContainer-alpha"), 60_000);
    const second = await host.repoman(["up", "--yes"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain(
      `error: the stack "rig" is locked by root@rig (pid ${plain.pid}, since `,
    );
    host.order("RepoContainer-alpha", "");
    expect(await plain.done).toMatchObject({ exitCode: 0 });
  });
});

describe("a run that is stopped", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s ends in seconds, saved and unlocked",
    async (signal) => {
      host.order("RepoContainer-alpha", "hold");
      const up = await atWork("up");
      up.kill(signal);
      // What runs is waited for.
      await up.printed("cancelling");
      host.order("RepoContainer-alpha", "");
      const stopped = Date.now();
      const { exitCode, all } = await up.done;
      expect(exitCode).toBe(1);
      expect(all).toContain(`Stopped by ${signal}; run again to go on.`);
      expect(Date.now() - stopped).toBeLessThan(10_000);
      expect(host.locks()).toEqual([]);
      expect(host.pending()).toEqual([]);
      await expectExit(0, ["up", "--yes"]);
      expect(host.things()).toEqual(ALL);
    },
  );

  test("by kill -9 of everything is taken up by the next, and nothing is left of it", async () => {
    host.order("RepoContainer-alpha", "hold");
    const up = await atWork("up");
    await up.killAll();
    expect(host.locks()).toHaveLength(1);
    expect(host.pending()).toContain("creating pulumi-nodejs:dynamic/repoman:RepoContainer::alpha");
    expect(existsSync(host.stackFile("running"))).toBe(true);

    host.order("RepoContainer-alpha", "");
    const next = await host.repoman(["up", "--yes"]);
    expect(next.exitCode).toBe(0);
    expect(next.stderr).toMatch(
      /^Took away the lock of root@rig \(pid \d+, since .*\): that process has ended\.\n/,
    );
    expect(next.stderr).toContain(
      "An earlier run was killed; what it had begun is taken up again.\n",
    );
    expect(next.all).not.toContain("pending operation");
    expect(host.locks()).toEqual([]);
    expect(host.pending()).toEqual([]);
    expect(host.things()).toEqual(ALL);
    expect(readdirSync(host.stackFile("")).sort()).toEqual(["id", "init.lock", "lock"]);
  });

  test("by kill -9 of Pulumi alone lets its orphans end before the next begins", async () => {
    host.order("RepoContainer-alpha", "hold");
    const up = await atWork("up");
    const engine = up.processes().find(({ argv }) => argv[0]?.endsWith("/pulumi"));
    process.kill(engine?.pid ?? 0, "SIGKILL");
    const { exitCode, all } = await up.done;
    expect(exitCode).toBe(1);
    expect(all).toContain("Pulumi was killed (SIGKILL); the next run takes up what was begun.");
    host.order("RepoContainer-alpha", "");
    await expectExit(0, ["up", "--yes"]);
    expect(up.processes()).toEqual([]);
    expect(host.pending()).toEqual([]);
  });

  test("by kill -9 of repoman alone keeps the next away while its Pulumi works", async () => {
    host.order("RepoContainer-alpha", "hold");
    const up = await atWork("up");
    up.kill("SIGKILL");
    await up.done;
    const second = await host.repoman(["up", "--yes"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain('the stack "rig" is locked by root@rig');
    host.order("RepoContainer-alpha", "");
    await until("the orphan's end", () => up.processes().length === 0, 20_000);
    await expectExit(0, ["preview", "--expect-no-changes"]);
  });
});

test("a backend that is not a folder is asked, and remembered", async () => {
  // The same files behind another scheme would need a server; a fresh query string is as opaque.
  const backend = join(host.home, "elsewhere");
  host.write("elsewhere/.keep", randomBytes(1).toString("hex"));
  const env = { PULUMI_BACKEND_URL: `file://${backend}?metadata=skip` };
  await expectExit(0, ["up", "--yes"], env);
  expect(await host.repoman(["preview", "--expect-no-changes"], { env })).toMatchObject({
    exitCode: 0,
  });
  expect(existsSync(join(backend, ".pulumi/stacks/repoman/rig.json"))).toBe(true);
});

/** Starts an `up`, and waits until it makes the container of alpha. */
async function atWork(command: string): Promise<Running> {
  const run = host.spawnRepoman([command, "--yes", "--skip-preview"]);
  await until("the first thing", () => host.things().includes("RepoContainer-alpha"), 60_000);
  return run;
}
