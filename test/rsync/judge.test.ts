import { describe, expect, test } from "vitest";
import { parseMountinfo } from "../../host/mountinfo.ts";
import type { Disk, DiskRecord } from "../../rsync/disk.ts";
import { judgeDestination, judgeDisk } from "../../rsync/judge.ts";
import { plainSpec } from "./plain-spec.ts";

type Found = Extract<Disk, { ok: true }>;
const ID = "0".repeat(32);
const NFS = "2 1 0:5 / /backup rw - nfs4 nas:/x rw,vers=4.2";

const marker = (changes = {}) => ({
  schema: 1 as const,
  id: ID,
  host: "host-a",
  stack: "stack-a",
  created: "",
  ...changes,
});
function found(changes: Partial<Found> = {}, line = NFS): Found {
  const mounts = parseMountinfo(line);
  const [mount] = mounts;
  if (!mount) throw new Error(line);
  return { ok: true, root: "/backup", device: "5", mount, mounts, marker: marker(), ...changes };
}
const recorded: DiskRecord = {
  schema: 1,
  backupRoot: "/backup",
  disk: { id: ID, mountPoint: "/backup", fstype: "nfs4", source: "nas:/x" },
  abilities: { acls: true, xattrs: "all", nanoseconds: true },
};
const reason = (judgement: ReturnType<typeof judgeDisk>) =>
  judgement.ok ? judgement.standing : `${judgement.result}: ${judgement.reason}`;

describe("a disk", () => {
  test("is known when record and marker agree", () => {
    expect(reason(judgeDisk(plainSpec(), found(), recorded))).toBe("known");
  });

  test("is recognised by its marker when the state was lost, and new without either", () => {
    expect(reason(judgeDisk(plainSpec(), found(), undefined))).toBe("marked");
    expect(reason(judgeDisk(plainSpec(), found({ marker: undefined }), undefined))).toBe("new");
  });

  test("of another host or stack is refused by name, known or not", () => {
    for (const changes of [{ host: "host-b" }, { stack: "stack-b" }]) {
      const theirs = found({ marker: marker(changes) });
      for (const known of [recorded, undefined]) {
        const text = reason(judgeDisk(plainSpec(), theirs, known));
        expect(text).toMatch(/^refused/);
        expect(text).toContain(Object.values(changes)[0]);
        expect(text).toContain("host-a");
        expect(text).toContain("stack-a");
      }
    }
  });

  test("whose marker is gone is refused with what was expected and what is there", () => {
    const bare = found({ marker: undefined }, "1 0 8:1 / / rw - nfs4 nas:/x rw");
    const text = reason(judgeDisk(plainSpec(), bare, recorded));
    expect(text).toContain(ID);
    expect(text).toContain("is the disk mounted?");
  });

  test("with another marker id is refused", () => {
    const other = found({ marker: marker({ id: "1".repeat(32) }) });
    expect(reason(judgeDisk(plainSpec(), other, recorded))).toMatch(/another one/);
  });

  test("is refused when another type or source is mounted, whatever the marker says", () => {
    const local = found({}, "1 0 8:1 / / rw - ext4 /dev/sda1 rw");
    expect(reason(judgeDisk(plainSpec(), local, recorded))).toContain(
      "Expected nfs4 from nas:/x over /backup, but found ext4 from /dev/sda1 at /",
    );
    const moved = found({}, NFS.replace("nas:/x", "nas:/y"));
    expect(reason(judgeDisk(plainSpec(), moved, recorded))).toContain("nas:/y");
  });

  test("may have another device name after a reboot", () => {
    const was: DiskRecord = {
      ...recorded,
      disk: { ...recorded.disk, fstype: "ext4", source: "/dev/sdb1" },
    };
    const now = found({}, "2 1 8:33 / /backup rw - ext4 /dev/sdc1 rw");
    expect(reason(judgeDisk(plainSpec(), now, was))).toBe("known");
    const set = plainSpec({ expectedSource: "/dev/sdb1" });
    expect(reason(judgeDisk(set, now, was))).toMatch(/^refused/);
  });

  test("must be what the registry expects, at its first use too", () => {
    const bare = found({ marker: undefined });
    expect(reason(judgeDisk(plainSpec({ expectedFstype: "nfs4" }), bare, undefined))).toBe("new");
    expect(reason(judgeDisk(plainSpec({ expectedFstype: "zfs" }), bare, undefined))).toMatch(
      /^refused: Expected zfs/,
    );
    // What is set stands in for what was recorded.
    const moved = found({}, NFS.replace("nas:/x", "nas:/y"));
    expect(reason(judgeDisk(plainSpec({ expectedSource: "nas:/y" }), moved, recorded))).toBe(
      "known",
    );
  });

  test("with a damaged marker or record is refused", () => {
    expect(reason(judgeDisk(plainSpec(), found({ marker: "unreadable" }), recorded))).toMatch(
      /^refused/,
    );
    expect(reason(judgeDisk(plainSpec(), found(), "unreadable"))).toMatch(/^refused/);
  });
});

describe("a copy on a file system of its own", () => {
  const mount = { mountPoint: "/backup/demo", fstype: "zfs", source: "tank/demo" };
  const disk = { id: ID, mountPoint: "/backup", fstype: "zfs", source: "tank" };
  const last = {
    at: "",
    files: 1,
    bytes: 1,
    disk,
    destinationMount: mount,
    sourceMount: mount,
  };

  test("is refused while that is not mounted", () => {
    const parent = { mountPoint: "/backup", fstype: "zfs", source: "tank" };
    expect(judgeDestination(plainSpec(), parent, disk, last)?.reason).toContain("/backup/demo");
    expect(judgeDestination(plainSpec(), mount, disk, last)).toBeUndefined();
    const swapped = { ...mount, source: "tank/other" };
    expect(judgeDestination(plainSpec(), swapped, disk, last)?.reason).toContain("tank/other");
  });

  test("may move with a disk that was newly set up", () => {
    const parent = { mountPoint: "/backup", fstype: "zfs", source: "tank" };
    const other = { ...disk, id: "f".repeat(32) };
    expect(judgeDestination(plainSpec(), parent, other, last)).toBeUndefined();
  });
});
