// `kill -9` of a whole `up`, at moments that are seen and held. Whatever it was at, the next `up`
// finishes, and nobody has to touch a state file, a lock or a container.

import { existsSync, readlinkSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Finished, Running } from "../rig/command.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { until } from "../rig/place.ts";
import { type Living, processesWith, signal } from "../rig/processes.ts";
import { isAlive } from "../rig/watch.js";
import { expectNoChanges, instance, instanceNames, STACK, up } from "./estate.ts";
import {
  fill,
  holdingOpen,
  holdUnpack,
  killButProvider,
  providersOf,
  soon,
  startUp,
} from "./moments.ts";
import { HOLDING_PIPE, importBig, importHolding } from "./odd-images.ts";

/** About a second, on a machine that is busy. */
const AT_ONCE_MS = 3000;

let daemon: Daemon;
let host: Host;
const projects: { name: string; image?: string }[] = [];

async function declare(name: string, image?: string): Promise<void> {
  const known = projects.find((each) => each.name === name);
  if (!known) await host.repo(name);
  const project = known ?? { name };
  if (!known) projects.push(project);
  if (image) project.image = image;
  host.writeRegistry({ project: projects });
}

/** Holds that what a killed run has left at work ends by itself. */
async function expectGone(left: Living[]): Promise<void> {
  await until("the orphans to end", () => !left.some(isAlive), AT_ONCE_MS);
}

/** The next `up` brings all that is declared, once each, and leaves nothing of the killed one. */
async function expectFinished(killed: Running): Promise<Finished> {
  const next = await up(host);
  expect(killed.processes()).toEqual([]);
  expect(await instanceNames(daemon)).toEqual(projects.map(({ name }) => name).sort());
  expect(host.deployment(STACK).pending_operations ?? []).toEqual([]);
  return next;
}

/** Waits until the user is made in a container whose image lets that take for ever. */
function makingUser(name: string): Promise<Living> {
  return until(
    `the script inside ${name}`,
    async () => {
      const path = `/1.0/instances/${name}/state?project=repoman`;
      const state = await daemon.api("GET", path).catch(() => undefined);
      const machine = state?.metadata.pid > 0 ? namespace(state?.metadata.pid) : undefined;
      if (machine === undefined) return undefined;
      const scripts = processesWith(`RM_NAME=${host.user.name}`);
      return scripts.find(({ pid }) => namespace(pid) === machine);
    },
    60_000,
  );
}

/** What the processes of one container have in common. */
function namespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  for (const name of ["big", "bigger", "biggest"]) await importBig(daemon, name);
  await importHolding(daemon, "holding");
  host = await makeHost({ user: "dev", daemon });
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

describe.sequential("an up that is killed", () => {
  test("before the first create", async () => {
    await declare("first");
    const run = startUp(host);
    await soon("a provider", () => providersOf(run).length > 0);
    const left = await killButProvider(run);
    expect(left).not.toEqual([]);
    await expectGone(left);
    expect((await daemon.api("GET", "/1.0/projects")).metadata).toHaveLength(1);
    const { all } = await expectFinished(run);
    expect(all).toMatch(/^Took away the lock of .*: that process has ended\.$/m);
  });

  test("while it unpacks an image, makes a user inside, and copies a repository", async () => {
    await declare("unpacked", "big");
    await declare("peopled", "holding");
    await declare("copied");
    const large = fill(host, "copied");
    const run = startUp(host);
    const unpack = await holdUnpack(daemon, "unpacked");
    const inside = await makingUser("peopled");
    const rsync = await holdingOpen(run, large);
    await until("the container beside it", async () => {
      return (await instance(daemon, "copied"))?.status === "Running";
    });
    const left = await killButProvider(run);
    expect(left.map(({ pid }) => pid)).toContain(rsync.pid);
    await expectGone([...left, inside]);
    // The server goes on with what it has begun.
    unpack.go();
    await host.sh("peopled", `rm ${HOLDING_PIPE}`);
    truncateSync(large, 0);
    const { all } = await expectFinished(run);
    expect(all).toContain("An earlier run was killed; what it had begun is taken up again.");
    const made = await host.sh("peopled", "grep -c : /etc/passwd; id -un", host.user);
    expect(made.all).toBe(`3\n${host.user.name}\n`);
    expect(existsSync(join(host.backup.path, "copied/.git/HEAD"))).toBe(true);
  });

  test("between create and start, its provider with it", async () => {
    await declare("created", "bigger");
    const run = startUp(host);
    const unpack = await holdUnpack(daemon, "created");
    for (const { pid } of providersOf(run)) signal(pid, "SIGSTOP");
    unpack.go();
    await until("the end of the unpacking", async () => {
      const { metadata } = await daemon.api("GET", "/1.0/operations?project=repoman");
      return Object.keys(metadata).length === 0 || !metadata.running;
    });
    await run.killAll();
    expect(await instance(daemon, "created")).toMatchObject({ status: "Stopped" });
    await expectFinished(run);
  });

  describe("while it replaces a container", () => {
    const uuids: Record<string, string> = {};
    // One run is killed with three replacements under way, and another is declared for each.
    beforeAll(async () => {
      for (const name of ["first", "copied", "created"]) {
        uuids[name] = (await instance(daemon, name)).config["volatile.uuid"];
      }
      await declare("first", "biggest");
      await declare("copied", "big");
      await declare("created", "holding");
      const run = startUp(host);
      const unpacks = await Promise.all(
        ["first", "copied"].map((name) => holdUnpack(daemon, name)),
      );
      await makingUser("created");
      const names = await instanceNames(daemon);
      for (const name of Object.keys(uuids)) {
        expect(names).toContainEqual(expect.stringMatching(`^${name}-old-`));
      }
      await expectGone(await killButProvider(run));
      for (const unpack of unpacks) unpack.go();
      for (const name of ["copied", "created"]) await declare(name, "busybox");
      await expectFinished(run);
    });

    test("the new one takes its place", async () => {
      const { status, config } = await instance(daemon, "first");
      expect(status).toBe("Running");
      expect(config["user.repoman.image"]).toBe("biggest");
      expect(config["volatile.uuid"]).not.toBe(uuids.first);
    });

    test("and that is not wanted any more: the old one is back", async () => {
      const { status, config } = await instance(daemon, "copied");
      expect(status).toBe("Running");
      expect(config["volatile.uuid"]).toBe(uuids.copied);
    });

    test("before a third image is wanted: only that is left", async () => {
      const { config } = await instance(daemon, "created");
      expect(config["user.repoman.image"]).toBe("busybox");
      expect(config["volatile.uuid"]).not.toBe(uuids.created);
    });
  });

  test("while it replaces a container, and Pulumi's state is lost: the old one is back", async () => {
    const before = await instance(daemon, "first");
    await declare("first", "holding");
    const run = startUp(host);
    await makingUser("first");
    await expectGone(await killButProvider(run));
    const stacks = join(host.home, ".local/state/repoman/pulumi/.pulumi/stacks/repoman");
    rmSync(stacks, { recursive: true });
    await declare("first", "biggest");
    await expectFinished(run);
    const after = await instance(daemon, "first");
    expect(after).toMatchObject({ status: "Running" });
    expect(after.config["volatile.uuid"]).toBe(before.config["volatile.uuid"]);
  });
});

test("a provider whose engine alone is killed ends, and takes its rsync along", async () => {
  await declare("orphaned");
  const large = fill(host, "orphaned");
  const run = startUp(host);
  const rsync = await holdingOpen(run, large);
  const orphans = [...providersOf(run), rsync];
  for (const { pid, name } of run.processes()) if (name === "pulumi") signal(pid, "SIGKILL");
  await expectGone(orphans);
  const { exitCode, all } = await run.done;
  expect(exitCode).toBe(1);
  expect(all).toContain("Pulumi was killed (SIGKILL); the next run takes up what was begun.");
  truncateSync(large, 0);
  await expectFinished(run);
});

test("after all of this there is nothing left to do", () => expectNoChanges(host));
