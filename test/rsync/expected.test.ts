import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseMountinfo } from "../../host/mountinfo.ts";
import { findMissingMount, unitName } from "../../rsync/expected.ts";

let etc: string;
beforeEach(async () => {
  etc = await mkdtemp(join(tmpdir(), "repoman-etc-"));
});
afterEach(() => rm(etc, { recursive: true, force: true }));

const mounts = (...lines: string[]) =>
  parseMountinfo(["1 0 8:1 / / rw - ext4 /dev/sda1 rw", ...lines].join("\n"));
const NFS = "2 1 0:5 / /mnt/my\\040disk rw - nfs4 nas:/x rw";
const write = (name: string, text: string) => writeFile(join(etc, name), text);

describe("what should be mounted", () => {
  test("is told by fstab, for the mount point and what lies below", async () => {
    await write(
      "fstab",
      "# comment\nUUID=1 / ext4 defaults 0 1\n/dev/sdb none swap sw 0 0\nnas:/x /mnt/my\\040disk/ nfs noauto 0 0\n",
    );
    for (const path of ["/mnt/my disk", "/mnt/my disk/repos"]) {
      expect(await findMissingMount(path, mounts(), etc)).toEqual({
        mountPoint: "/mnt/my disk",
        source: "nas:/x",
        file: join(etc, "fstab"),
      });
      expect(await findMissingMount(path, mounts(NFS), etc)).toBeUndefined();
    }
    expect(await findMissingMount("/mnt", mounts(), etc)).toBeUndefined();
    expect(await findMissingMount("/mnt/my disk 2", mounts(), etc)).toBeUndefined();
  });

  test("is not there while only its automount is", async () => {
    await write("fstab", "nas:/x /mnt/disk nfs x-systemd.automount 0 0\n");
    const waiting = mounts("2 1 0:5 / /mnt/disk rw - autofs systemd-1 rw");
    expect(await findMissingMount("/mnt/disk", waiting, etc)).toMatchObject({ source: "nas:/x" });
  });

  test("is told by an automounter that does not run", async () => {
    await write("auto.master", "# master\n/nfs /etc/auto.nfs --timeout=60\n+auto.master\n");
    expect(await findMissingMount("/nfs/repos", mounts(), etc)).toMatchObject({
      mountPoint: "/nfs",
    });
    const running = mounts("2 1 0:5 / /nfs rw - autofs /etc/auto.nfs rw");
    expect(await findMissingMount("/nfs/repos", running, etc)).toBeUndefined();
  });

  test("is told by a direct map in auto.master.d", async () => {
    await mkdir(join(etc, "auto.master.d"));
    await write("auto.master.d/backup.autofs", "/- auto.direct\n");
    await write("auto.direct", "/mnt/backup -rw,hard \\\n nas:/tank\n");
    expect(await findMissingMount("/mnt/backup/repos", mounts(), etc)).toEqual({
      mountPoint: "/mnt/backup",
      source: "nas:/tank",
      file: join(etc, "auto.direct"),
    });
  });

  test("is told by a mount unit, unless it is masked", async () => {
    await mkdir(join(etc, "systemd/system"), { recursive: true });
    const unit = `systemd/system/${unitName("/mnt/my-disk")}.mount`;
    await write(unit, "[Mount]\n");
    expect(unit).toBe("systemd/system/mnt-my\\x2ddisk.mount");
    expect(await findMissingMount("/mnt/my-disk/x", mounts(), etc)).toMatchObject({
      mountPoint: "/mnt/my-disk",
    });
    await rm(join(etc, unit));
    await symlink("/dev/null", join(etc, unit));
    expect(await findMissingMount("/mnt/my-disk/x", mounts(), etc)).toBeUndefined();
  });

  test("is nothing where there is no configuration", async () => {
    expect(await findMissingMount("/srv/backup", mounts(), etc)).toBeUndefined();
  });
});
