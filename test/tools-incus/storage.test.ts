import { describe, expect, test } from "vitest";
import { poolCandidates } from "../../tools/incus/storage.js";

const GIB = 2 ** 30;
const host = { supported: ["dir", "btrfs", "zfs"], folder: "/x/incus", onBtrfs: false };

describe("the storage pool", () => {
  test("copies on write where the host can, and is a plain folder if nothing else works", () => {
    const drivers = poolCandidates({ ...host, free: 100 * GIB }).map(({ driver }) => driver);
    expect(drivers).toEqual(["zfs", "btrfs", "dir"]);
  });

  test("is a file of half of the free space, of 100 GiB at most", () => {
    const size = (free: number) => poolCandidates({ ...host, free: free * GIB })[0]?.config.size;
    expect(size(31)).toBe("15GiB");
    expect(size(5000)).toBe("100GiB");
  });

  test("shares the disk instead where there is little space", () => {
    expect(poolCandidates({ ...host, free: 9 * GIB })).toEqual([{ driver: "dir", config: {} }]);
  });

  test("is a subvolume, not a file, where the folder is on btrfs itself", () => {
    expect(poolCandidates({ ...host, onBtrfs: true, free: 100 * GIB })[0]).toEqual({
      driver: "btrfs",
      config: { source: "/x/incus/storage-pools/default" },
    });
  });

  test("is a plain folder where the server has no other driver", () => {
    const candidates = poolCandidates({ ...host, supported: ["dir"], onBtrfs: true, free: 1e12 });
    expect(candidates).toEqual([{ driver: "dir", config: {} }]);
  });
});
