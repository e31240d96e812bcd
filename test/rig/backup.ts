import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { execa } from "execa";
import { mount, mountsBelow, unmountBelow } from "./mounts.ts";
import { newFolder } from "./place.ts";
import type { User } from "./users.ts";

/** A disk of its own for backups, as an ext4 file system that can come and go. */
export interface BackupDisk {
  /** Where it is mounted: what the registry calls `backup_root`. */
  readonly path: string;
  /** The file that holds the disk; its name is like no other on this machine. */
  readonly image: string;
  readonly mounted: boolean;
  mount(): Promise<void>;
  /** The folder stays, empty; what was on the disk is there again after `mount`. */
  unmount(): Promise<void>;
}

/**
 * @param owner of the disk's top folder
 * @param sizeMb of the disk; takes no memory until it is written to
 */
export async function makeBackupDisk(owner: User, sizeMb = 512): Promise<BackupDisk> {
  const { folder } = newFolder("b");
  const path = `${folder}/disk`;
  const image = `${folder}/${randomUUID()}`;
  mkdirSync(path);
  await execa("truncate", ["-s", `${sizeMb}M`, image]);
  const ids = `root_owner=${owner.uid}:${owner.gid},lazy_itable_init=1`;
  await execa("mkfs.ext4", ["-q", "-F", "-O", "^has_journal", "-E", ids, image]);
  const disk: BackupDisk = {
    path,
    image,
    get mounted() {
      return mountsBelow(path).includes(path);
    },
    mount: () => mount("-o", "loop", image, path),
    unmount: () => unmountBelow(path),
  };
  await disk.mount();
  return disk;
}
