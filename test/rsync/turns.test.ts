import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { parseMountinfo } from "../../host/mountinfo.ts";
import { runsAtOnce, Turns } from "../../rsync/turns.ts";

test("a disk that has to move its heads bears two runs at once, others as many as there are processors", () => {
  const sys = mkdtempSync(join(tmpdir(), "repoman-sys-"));
  onTestFinished(() => rmSync(sys, { recursive: true }));
  for (const [disk, rotates] of [
    ["sda", "1"],
    ["nvme0n1", "0"],
  ] as const) {
    mkdirSync(join(sys, `devices/${disk}/queue`), { recursive: true });
    writeFileSync(join(sys, `devices/${disk}/queue/rotational`), `${rotates}\n`);
    mkdirSync(join(sys, `devices/${disk}/first`));
  }
  mkdirSync(join(sys, "dev/block"), { recursive: true });
  symlinkSync("../../devices/sda", join(sys, "dev/block/8:0"));
  symlinkSync("../../devices/sda/first", join(sys, "dev/block/8:1"));
  symlinkSync("../../devices/nvme0n1/first", join(sys, "dev/block/259:1"));
  const mounts = parseMountinfo(
    [
      "1 0 259:1 / / rw - ext4 /dev/nvme0n1p1 rw",
      "2 1 8:1 / /disk rw - ext4 /dev/sda1 rw",
      "3 1 8:0 / /whole rw - ext4 /dev/sda rw",
      "4 1 0:50 / /far rw - nfs4 nas:/tank rw",
    ].join("\n"),
  );
  const atOnce = (path: string, processors: number) =>
    runsAtOnce(path, { mounts, sys, processors });
  expect(atOnce("/disk/backup", 16)).toBe(2);
  expect(atOnce("/whole", 16)).toBe(2);
  expect(atOnce("/far/backup", 6)).toBe(6);
  expect(atOnce("/backup", 16)).toBe(8);
  expect(atOnce("/backup", 1)).toBe(2);
});

test("no more work at once than there are turns, in the order in which they came, whatever fails", async () => {
  const turns = new Turns(2);
  let now = 0;
  let most = 0;
  const begun: number[] = [];
  const waited: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) =>
      turns.take(
        async () => {
          begun.push(index);
          most = Math.max(most, ++now);
          await pause(2);
          now -= 1;
          if (index % 3 === 0) throw new Error("failed");
        },
        () => waited.push(index),
      ),
    ),
  );
  expect(most).toBe(2);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(waited).toEqual([2, 3, 4, 5, 6, 7, 8]);
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(3);
});
