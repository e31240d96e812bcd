import { describe, expect, test } from "vitest";
import { isLocal, isWithin, parseMountinfo, topmostMount } from "../../host/mountinfo.ts";

const HOST = [
  "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro",
  "31 22 0:27 / /nfs rw,relatime shared:12 - autofs /etc/auto.nfs rw,fd=6,pgrp=812,timeout=300,minproto=5,maxproto=5,indirect,pipe_ino=1",
  "77 31 0:55 / /nfs/repos rw,relatime shared:40 - nfs4 nas.lan:/tank/repos rw,vers=4.2,hard",
  "80 22 0:60 / /mnt/back\\040up\\011disk\\134x rw - nfs nas:/with\\040blank rw",
  "81 22 8:17 / /data rw - ext4 /dev/sdb1 rw",
  "82 81 8:17 /inner /data/bound ro,relatime - ext4 /dev/sdb1 rw",
  "83 22 0:61 / /empty rw - tmpfs  rw,size=1k",
].join("\n");

const over = (path: string, text = HOST) => topmostMount(parseMountinfo(text), path);

describe("topmostMount", () => {
  test("finds an NFS mount behind its automount", () => {
    expect(over("/nfs/repos/a")).toMatchObject({
      fstype: "nfs4",
      source: "nas.lan:/tank/repos",
      mountPoint: "/nfs/repos",
    });
  });

  test("stays at the automount where nothing was mounted", () => {
    expect(over("/nfs/other")).toMatchObject({ fstype: "autofs" });
  });

  test("reads names with blanks, tabs and backslashes", () => {
    expect(over("/mnt/back up\tdisk\\x/repo")).toMatchObject({ source: "nas:/with blank" });
  });

  test("does not take a longer name for a folder below", () => {
    expect(over("/database")).toMatchObject({ mountPoint: "/" });
  });

  test("sees the options of a bind mount and of its file system", () => {
    expect(over("/data/bound")?.options).toContain("ro");
    expect(over("/data/bound")?.options).toContain("rw");
    expect(over("/data/else")?.options).not.toContain("ro");
  });

  test("reads a mount without a source", () => {
    expect(over("/empty")).toMatchObject({ fstype: "tmpfs", source: "", mountPoint: "/empty" });
  });

  test("takes the upper one of two mounts on one folder", () => {
    const stacked = `${HOST}\n90 81 0:70 / /data rw - tmpfs upper rw`;
    expect(over("/data/x", stacked)).toMatchObject({ source: "upper" });
  });

  test("does not see what a later mount on a parent hides", () => {
    const hidden = `${HOST}\n91 31 0:71 / /nfs rw - tmpfs veil rw`;
    expect(over("/nfs/repos/a", hidden)).toMatchObject({ source: "veil" });
  });

  test("copes with a namespace whose root has no parent in the list", () => {
    const container = "500 499 0:1 / / rw - overlay overlay rw\n501 500 0:2 / /x rw - tmpfs t rw";
    expect(over("/x/y", container)).toMatchObject({ source: "t" });
  });

  test("does not loop over mounts that name each other as parents", () => {
    const ring = "1 2 0:1 / / rw - a a rw\n2 1 0:1 / / rw - b b rw";
    expect(() => over("/x", ring)).not.toThrow();
  });

  test("leaves out lines of another form", () => {
    expect(parseMountinfo("nonsense\n\n1 2 3 - \n")).toEqual([]);
  });
});

test("isWithin compares whole names", () => {
  expect(isWithin("/a/b", "/a")).toBe(true);
  expect(isWithin("/ab", "/a")).toBe(false);
  expect(isWithin("/a", "/a")).toBe(true);
  expect(isWithin("/a", "/")).toBe(true);
});

test("a path is local only where every step of it is", () => {
  const mounts = parseMountinfo(
    [
      "1 1 8:1 / / rw - ext4 /dev/sda1 rw",
      "2 1 0:40 / /nas rw - nfs4 nas:/x rw",
      "3 2 8:2 / /nas/disk rw - ext4 /dev/sdb1 rw",
      "4 1 0:41 / /auto rw - autofs auto rw",
      "5 1 0:42 / /tmp rw - tmpfs tmpfs rw",
    ].join("\n"),
  );
  for (const path of ["/", "/home/a", "/tmp/x"]) expect(isLocal(mounts, path)).toBe(true);
  for (const path of ["/nas", "/nas/a", "/nas/disk/a", "/auto/a"]) {
    expect(isLocal(mounts, path)).toBe(false);
  }
});
