// `kill -9` of a whole `up`, at moments that are seen and held. Whatever it was at, the next `up`
// finishes, and nobody has to touch a state file, a lock or a container.

import { rmSync, truncateSync } from "node:fs";
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
function makingUser(): Promise<Living> {
  return soon("the script inside", () => processesWith(`RM_NAME=${host.user.name}`)[0]);
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

  test("while its image is unpacked", async () => {
    await declare("unpacked", "big");
    const run = startUp(host);
    const unpack = await holdUnpack(daemon);
    await expectGone(await killButProvider(run));
    // The server goes on with what it has begun.
    unpack.go();
    const { all } = await expectFinished(run);
    expect(all).toContain("An earlier run was killed; what it had begun is taken up again.");
  });

  test("between create and start, its provider with it", async () => {
    await declare("created", "bigger");
    const run = startUp(host);
    const unpack = await holdUnpack(daemon);
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

  test("while it makes the user inside", async () => {
    await declare("peopled", "holding");
    const run = startUp(host);
    const inside = await soon(
      "the script inside",
      () => processesWith(`RM_NAME=${host.user.name}`)[0],
    );
    await expectGone([...(await killButProvider(run)), inside]);
    await host.sh("peopled", `rm ${HOLDING_PIPE}`);
    await expectFinished(run);
    const { all } = await host.sh("peopled", "grep -c : /etc/passwd; id -un", host.user);
    expect(all).toBe(`3\n${host.user.name}\n`);
  });

  test("while it copies a repository", async () => {
    await declare("copied");
    const large = fill(host, "copied");
    const run = startUp(host);
    const rsync = await holdingOpen(run, large);
    const left = await killButProvider(run);
    expect(left.map(({ pid }) => pid)).toContain(rsync.pid);
    await expectGone(left);
    truncateSync(large, 0);
    await expectFinished(run);
  });

  test("while it replaces a container: the new one takes its place", async () => {
    await declare("first", "biggest");
    const before = await instance(daemon, "first");
    const run = startUp(host);
    const unpack = await holdUnpack(daemon);
    expect(await instanceNames(daemon)).toContainEqual(expect.stringMatching(/^first-old-/));
    await expectGone(await killButProvider(run));
    unpack.go();
    await expectFinished(run);
    const after = await instance(daemon, "first");
    expect(after).toMatchObject({ status: "Running" });
    expect(after.config["user.repoman.image"]).toBe("biggest");
    expect(after.config["volatile.uuid"]).not.toBe(before.config["volatile.uuid"]);
  });

  test("while it replaces a container, and not wanted any more: the old one is back", async () => {
    const before = await instance(daemon, "first");
    await declare("first", "big");
    const run = startUp(host);
    const unpack = await holdUnpack(daemon);
    await expectGone(await killButProvider(run));
    unpack.go();
    await declare("first", "biggest");
    await expectFinished(run);
    const after = await instance(daemon, "first");
    expect(after).toMatchObject({ status: "Running" });
    expect(after.config["volatile.uuid"]).toBe(before.config["volatile.uuid"]);
  });

  test("while it replaces a container, before a third image is wanted: only that is left", async () => {
    await declare("first", "holding");
    const run = startUp(host);
    await makingUser();
    await expectGone(await killButProvider(run));
    await declare("first", "busybox");
    await expectFinished(run);
    const after = await instance(daemon, "first");
    expect(after.config["user.repoman.image"]).toBe("busybox");
  });

  test("while it replaces a container, and Pulumi's state is lost: the old one is back", async () => {
    const before = await instance(daemon, "first");
    await declare("first", "holding");
    const run = startUp(host);
    await makingUser();
    await expectGone(await killButProvider(run));
    const stacks = join(host.home, ".local/state/repoman/pulumi/.pulumi/stacks/repoman");
    rmSync(stacks, { recursive: true });
    await declare("first", "busybox");
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
