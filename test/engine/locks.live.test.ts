// One run at a time, whose end is orderly when it is asked for, and whose lock dies with it.

import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Running } from "../rig/command.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { until } from "../rig/place.ts";
import { expectNoChanges, instance, repoman, STACK, up } from "./estate.ts";
import { fill, type HeldUnpack, holdingOpen, holdUnpack, startUp } from "./moments.ts";
import { importBig, PAD_BYTES } from "./odd-images.ts";

let daemon: Daemon;
let host: Host;
const projects: { name: string; image?: string }[] = [];

async function declare(name: string, image?: string): Promise<void> {
  await host.repo(name);
  projects.push({ name, ...(image ? { image } : {}) });
  host.writeRegistry({ project: projects });
}

/** Pulumi's locks of the stack. */
function locks(): string {
  return join(host.home, ".local/state/repoman/pulumi/.pulumi/locks/organization/repoman", STACK);
}

function lockFiles(): string[] {
  try {
    return readdirSync(locks()).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

function writeLock(pid: number): void {
  mkdirSync(locks(), { recursive: true });
  const timestamp = new Date().toISOString();
  const content = { pid, username: host.user.name, hostname: hostname(), timestamp };
  writeFileSync(join(locks(), "left.json"), JSON.stringify(content));
}

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  for (const name of ["big", "bigger"]) await importBig(daemon, name);
  host = await makeHost({ user: "dev", daemon });
  await declare("alpha");
  await up(host);
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

describe("a run", () => {
  let unpack: HeldUnpack;
  let first: Running;

  test("takes the lock of a process that is dead away, and says so", async () => {
    const { pid, done } = host.spawn(["true"]);
    await done;
    await declare("beta", "bigger");
    writeLock(pid);
    first = startUp(host);
    unpack = await holdUnpack(daemon, "beta");
    const took = new RegExp(
      `^Took away the lock of .*\\(pid ${pid}, .*\\): that process has ended\\.\n`,
      "m",
    );
    expect(first.output).toMatch(took);
    expect(lockFiles()).not.toContain("left.json");
  });

  test("of up beside up is told who works", async () => {
    const { stderr } = await repoman(host, 4, "up", "--yes");
    expect(stderr).toContain(
      `error: the stack "${STACK}" is in use: repoman up (pid ${first.pid}) is at work on it\n`,
    );
    expect(stderr).toMatch(/\n {2}Wait until it has ended/);
  });

  test("of destroy beside up is told that the stack is in use", async () => {
    expect((await repoman(host, 4, "destroy", "--yes")).stderr).toContain("is in use");
  });

  test("of preview beside up: both work", async () => {
    await repoman(host, 0, "preview");
    unpack.go();
    const { exitCode, all } = await first.done;
    expect(exitCode, all).toBe(0);
    expect(lockFiles()).toEqual([]);
  });

  test("respects a lock of Pulumi's that a living process has", async () => {
    const other = host.spawn(["sleep", "60"]);
    writeLock(other.pid);
    const { stderr } = await repoman(host, 4, "up", "--yes");
    expect(stderr).toMatch(new RegExp(`is locked by .*\\(pid ${other.pid}, since `));
    expect(lockFiles()).toEqual(["left.json"]);
    other.kill();
    await other.done;
  });
});

describe("a run that is stopped", () => {
  const expectStopped = async (run: Running, name: string) => {
    const { exitCode, all } = await run.done;
    expect(exitCode, all).toBe(1);
    expect(all).toContain(`Stopped by ${name}; run again to go on.`);
    expect(all).not.toMatch(/^\s+at |Exception/m);
    expect(lockFiles()).toEqual([]);
    expect(host.deployment(STACK).pending_operations ?? []).toEqual([]);
    await until("its last process", () => run.processes().length === 0);
  };

  // The first of them begins with the lock that was left above, whose process has ended since.
  test("by Ctrl-C while a server unpacks an image that takes for ever", async () => {
    await declare("gamma", "big");
    const run = startUp(host);
    const unpack = await holdUnpack(daemon, "gamma");
    run.killGroup("SIGINT");
    await expectStopped(run, "SIGINT");
    unpack.go();
    await up(host);
    expect(await instance(daemon, "gamma")).toMatchObject({ status: "Running" });
    const { all } = await host.sh("gamma", "stat -c %s /pad");
    expect(all).toBe(`${PAD_BYTES}\n`);
  });

  test("by SIGTERM while it copies a repository that is large", async () => {
    await declare("delta");
    const large = fill(host, "delta");
    const run = startUp(host);
    await holdingOpen(run, large);
    run.kill("SIGTERM");
    await expectStopped(run, "SIGTERM");
    // The container beside it was finished and saved, and the run's own record tells the truth.
    expect(await instance(daemon, "delta")).toMatchObject({ status: "Running" });
    const record = join(host.home, ".local/state/repoman/backups/delta.json");
    expect(JSON.parse(readFileSync(record, "utf8"))).toMatchObject({ result: "failed" });
    truncateSync(large, 0);
    await up(host);
    await expectNoChanges(host);
  });
});
