// Two runs at once, and runs that are stopped or killed.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import type { Running } from "../rig/command.ts";
import { until } from "../rig/place.ts";
import { ALL, SharedTiny, type TinyHost } from "./tiny/host.ts";

const shared = new SharedTiny();
let host: TinyHost;
beforeEach(() => {
  host = shared.host;
});

shared.scenario("of two at once", () => {
  test("the second is told who holds the stack, and may preview; a SIGINT ends the first, saved and unlocked", async () => {
    host.order("RepoContainer-alpha", "hold");
    const first = await atWork("alpha");
    const second = await host.repoman(["up", "--yes", "--skip-preview"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain(
      `error: the stack "rig" is in use: repoman up (pid ${first.pid}) is at work on it\n`,
    );
    await host.expectExit(0, "preview");
    await stop(first, "SIGINT");
  });

  test("a plain pulumi is respected, by name of its process, and goes on where the other was stopped", async () => {
    host.order("RepoContainer-beta", "hold");
    rmSync(host.thing("RepoContainer-beta"), { force: true });
    const { stdout } = await host.repoman(["env"]);
    const plain = host.spawn([
      "sh",
      "-c",
      `eval "$1"; exec pulumi up --yes --skip-preview`,
      "sh",
      stdout,
    ]);
    await making("beta");
    const second = await host.repoman(["up", "--yes", "--skip-preview"]);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain(
      `error: the stack "rig" is locked by root@rig (pid ${plain.pid}, since `,
    );
    host.order("RepoContainer-beta", "");
    expect(await plain.done).toMatchObject({ exitCode: 0 });
    expect(host.things()).toEqual(ALL);
  });
});

shared.scenario("a run that is stopped", () => {
  test("by SIGTERM ends, saved and unlocked", async () => {
    host.order("RepoContainer-alpha", "hold");
    await stop(await atWork("alpha"), "SIGTERM");
  });

  test("by kill -9 of everything is taken up by the next, and nothing is left of it", async () => {
    host.order("RepoContainer-beta", "hold");
    rmSync(host.thing("RepoContainer-beta"), { force: true });
    const up = await atWork("beta");
    await up.killAll();
    expect(host.locks()).toHaveLength(1);
    expect(host.pending()).toContain("creating pulumi-nodejs:dynamic/repoman:RepoContainer::beta");
    expect(existsSync(host.stackFile("running"))).toBe(true);

    host.order("RepoContainer-beta", "");
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
});

test("kill -9 of Pulumi alone lets its orphans end before the next begins; one of repoman alone keeps the next away while its Pulumi works", async () => {
  host.order("RepoContainer-alpha", "hold");
  const first = await atWork("alpha");
  const engine = first.processes().find(({ argv }) => argv[0]?.endsWith("/pulumi"));
  process.kill(engine?.pid ?? 0, "SIGKILL");
  const { exitCode, all } = await first.done;
  expect(exitCode).toBe(1);
  expect(all).toContain("Pulumi was killed (SIGKILL); the next run takes up what was begun.");

  host.order("RepoContainer-alpha", "");
  host.order("RepoContainer-beta", "hold");
  rmSync(host.thing("RepoContainer-beta"), { force: true });
  const next = await atWork("beta");
  expect(first.processes()).toEqual([]);
  next.kill("SIGKILL");
  await next.done;
  const refused = await host.repoman(["up", "--yes", "--skip-preview"]);
  expect(refused.exitCode).toBe(4);
  expect(refused.stderr).toContain('the stack "rig" is locked by root@rig');
  host.order("RepoContainer-beta", "");
  await until("the orphan's end", () => next.processes().length === 0, 20_000);
  await host.expectExit(0, "preview", "--expect-no-changes");
  expect(host.pending()).toEqual([]);
});

/** Starts an `up`, and waits until it makes the container of this project. */
async function atWork(name: string): Promise<Running> {
  const run = host.spawnRepoman(["up", "--yes", "--skip-preview"]);
  await making(name);
  return run;
}

async function making(name: string): Promise<void> {
  const thing = `RepoContainer-${name}`;
  await until("the first thing", () => host.things().includes(thing), 60_000);
}

/** Stops a run that is held at alpha; what runs is waited for. */
async function stop(up: Running, signal: "SIGINT" | "SIGTERM"): Promise<void> {
  up.kill(signal);
  await up.printed("cancelling");
  host.order("RepoContainer-alpha", "");
  const { exitCode, all } = await up.done;
  expect(exitCode, all).toBe(1);
  expect(all).toContain(`Stopped by ${signal}; run again to go on.`);
  expect(host.locks()).toEqual([]);
  expect(host.pending()).toEqual([]);
}
