// Looking from here and from children: the same answers. /proc is no local file system, so whatever
// lies there is looked at from children; what does not answer is in test/engine/outage.live.test.ts.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { askAt, foreignMount, listFolder, lookAt } from "../../host/look.ts";
import { type Mount, readMounts, topmostMount } from "../../host/mountinfo.ts";
import { readBounded } from "../../registry/read.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "look-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

const link = (target: string, name: string) => {
  const path = join(folder, name);
  symlinkSync(target, path);
  return path;
};

describe("the mount that may not answer", () => {
  test("is found behind links, wherever they lead through", () => {
    mkdirSync(join(folder, "real"));
    const outside = foreignMount(folder);
    expect(foreignMount("/proc/sys/kernel")?.fstype).toBe("proc");
    expect(foreignMount(link("/proc/sys", "away"))?.fstype).toBe("proc");
    expect(foreignMount(`${link("real", "here")}/../away/kernel`)?.fstype).toBe("proc");
    expect(foreignMount(join(folder, "here"))).toEqual(outside);
    expect(foreignMount(`${folder}/missing/../away`)).toEqual(outside);
    expect(foreignMount(link("round", "round"))).toEqual(outside);
    // The one that it ends in: others that lie on the way there may answer all the same.
    const inner = topmostMount(readMounts(), "/dev/shm");
    expect([undefined, inner]).toContainEqual(foreignMount("/dev/shm/."));
  });
});

test("one that did not answer is asked again only by who waits longer", async () => {
  const mount = { ...(foreignMount("/proc/sys") as Mount), id: -1, mountPoint: "/mnt" };
  const short = { timeoutMs: 50 };
  const silent = {
    silent: true,
    what: "does not answer within 0.05 s: it lies on proc from proc at /mnt",
  };
  const sleep = () => askAt(mount, ["sleep", "60"], short);
  // More than may look at once.
  expect(await Promise.all(Array.from({ length: 9 }, sleep))).toEqual(Array(9).fill(silent));
  expect(await askAt(mount, ["true"], short)).toEqual(silent);
  expect(await askAt(mount, ["true"])).toMatchObject({ code: 0 });
  expect(await askAt(mount, ["true"], { timeoutMs: 30_000 })).toMatchObject({ code: 0 });
});

describe("a look", () => {
  test("finds folders, files and owners, by way of links too", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const own = { uid: process.getuid?.(), gid: process.getgid?.() };
    expect(await lookAt(folder)).toMatchObject({ ok: true, type: "directory", ...own });
    expect(await lookAt(link(file, "link"))).toMatchObject({ type: "file", real: file });
    const root = { ok: true, uid: 0, gid: 0 };
    expect(await lookAt("/proc/sys")).toEqual({ ...root, type: "directory", real: "/proc/sys" });
    expect(await lookAt(link("/proc/sys", "away"))).toMatchObject({ ...root, real: "/proc/sys" });
    expect(await lookAt("/proc/version")).toMatchObject({ ...root, type: "file" });
    expect(await lookAt("/dev/null")).toMatchObject({ ...root, type: "other" });
  });

  test.each([
    ["what is not there", "missing", "ENOENT"],
    ["what a file is in the way of", "version/more", "ENOTDIR"],
  ])("says of %s the same here and there", async (_what, name, code) => {
    writeFileSync(join(folder, "version"), "");
    expect(await lookAt(join(folder, name))).toEqual({ ok: false, code });
    expect(await lookAt(`/proc/${name}`)).toEqual({ ok: false, code });
  });

  test("lists a folder", async () => {
    mkdirSync(join(folder, "sub"));
    expect(await listFolder(folder)).toEqual([{ name: "sub", isDirectory: true }]);
    expect(await listFolder("/proc/self/task/self")).toEqual({ code: "ENOENT" });
    const there = await listFolder("/proc/sys");
    expect(there).toContainEqual({ name: "kernel", isDirectory: true });
    expect(await listFolder("/proc")).toContainEqual({ name: "version", isDirectory: false });
  });
});

describe("a file that nobody vouches for", () => {
  test("is read from a child as from here", async () => {
    const text = Buffer.from("a\0b\xff\n", "latin1");
    const file = join(folder, "file");
    writeFileSync(file, text);
    expect(await readBounded(file, 100)).toEqual({ bytes: text });
    const found = await readBounded("/proc/version", 4096);
    expect("bytes" in found && found.bytes.toString()).toMatch(/^Linux version .*\n$/);
  });

  test("is refused in the same words", async () => {
    expect(await readBounded("/proc/missing", 9)).toEqual({ missing: true });
    expect(await readBounded("/proc/version/more", 9)).toEqual({ missing: true });
    expect(await readBounded("/proc/sys", 9)).toEqual({ refused: "is a directory" });
    expect(await readBounded("/proc/self", 9)).toEqual({ refused: "is a symbolic link" });
    const away = link("/proc/version", "away");
    expect(await readBounded(away, 9)).toEqual({ refused: "is a symbolic link" });
    expect(await readBounded("/dev/null", 9)).toEqual({ refused: "is not a regular file" });
    expect(await readBounded("/proc/version", 8)).toEqual({ refused: "is larger than 0 KiB" });
    writeFileSync(join(folder, "large"), "123456789");
    const large = await readBounded(join(folder, "large"), 8);
    expect(large).toEqual({ refused: "is larger than 0 KiB" });
    if (process.getuid?.() === 0) return;
    chmodSync(join(folder, "large"), 0);
    expect(await readBounded(join(folder, "large"), 9)).toMatchObject({ refused: /EACCES/ });
  });
});
