// Two runs at once, and runs that are stopped or killed.

import { existsSync, readdirSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import type { Running } from "../rig/command.ts";
import { until } from "../rig/place.ts";
import { ALL, SharedTiny, type TinyHost } from "./tiny/host.ts";

const shared = new SharedTiny();
let host: TinyHost;
beforeEach(() => {
  host = shared.host;
});

describe("two at once", () => {
  test("work one after the other: the second is told who holds the stack, and may preview", async () => {
    host.order("RepoContainer-alpha", "hold");
    const first = await atWork("up");
    const second = await host.repoman(["up", "--yes", "--skip-preview"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain(
      `error: the stack "rig" is in use: repoman up (pid ${first.pid}) is at work on it\n`,
    );
    await host.expectExit(0, "preview");
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
    const second = await host.repoman(["up", "--yes", "--skip-preview"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain(
      `error: the stack "rig" is locked by root@rig (pid ${plain.pid}, since `,
    );
    host.order("RepoContainer-alpha", "");
    expect(await plain.done).toMatchObject({ exitCode: 0 });
  });
});

describe("a run that is stopped", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("by %s ends, saved and unlocked", async (signal) => {
    host.order("RepoContainer-alpha", "hold");
    const up = await atWork("up");
    up.kill(signal);
    // What runs is waited for.
    await up.printed("cancelling");
    host.order("RepoContainer-alpha", "");
    const { exitCode, all } = await up.done;
    expect(exitCode).toBe(1);
    expect(all).toContain(`Stopped by ${signal}; run again to go on.`);
    expect(host.locks()).toEqual([]);
    expect(host.pending()).toEqual([]);
    await host.expectExit(0, "up", "--yes", "--skip-preview");
    expect(host.things()).toEqual(ALL);
  });

  test("by kill -9 of everything is taken up by the next, and nothing is left of it", async () => {
    host.order("RepoContainer-alpha", "hold");
    const up = await atWork("up");
    await up.killAll();
    expect(host.locks()).toHaveLength(1);
    expect(host.pending()).toContain("creating pulumi-nodejs:dynamic/repoman:RepoContainer::alpha");
    expect(existsSync(host.stackFile("running"))).toBe(true);

    host.order("RepoContainer-alpha", "");
    const next = await host.repoman(["up", "--yes", "--skip-preview"]);
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
    await host.expectExit(0, "up", "--yes", "--skip-preview");
    expect(up.processes()).toEqual([]);
    expect(host.pending()).toEqual([]);
  });

  test("by kill -9 of repoman alone keeps the next away while its Pulumi works", async () => {
    host.order("RepoContainer-alpha", "hold");
    const up = await atWork("up");
    up.kill("SIGKILL");
    await up.done;
    const second = await host.repoman(["up", "--yes", "--skip-preview"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain('the stack "rig" is locked by root@rig');
    host.order("RepoContainer-alpha", "");
    await until("the orphan's end", () => up.processes().length === 0, 20_000);
    await host.expectExit(0, "preview", "--expect-no-changes");
  });
});

/** Starts an `up`, and waits until it makes the container of alpha. */
async function atWork(command: string): Promise<Running> {
  const run = host.spawnRepoman([command, "--yes", "--skip-preview"]);
  await until("the first thing", () => host.things().includes("RepoContainer-alpha"), 60_000);
  return run;
}
