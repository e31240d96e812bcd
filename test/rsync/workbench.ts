import { mkdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import type { BackupSpec } from "../../rsync/index.ts";
import { mount, unmountBelow } from "../rig/mounts.ts";
import { newFolder } from "../rig/place.ts";

/** A repository, a backup root and a state folder, thrown away with the test. */
export interface Workbench {
  folder: string;
  spec: BackupSpec;
  /** The image of the disk at the backup root, where it is an ext4 one. */
  image: string;
}

let made = 0;

/**
 * @param disk what the backup root is: a plain folder beside the repository, or a file system of
 *   its own
 * @param megabytes its size then; 64 for a tmpfs and 32 for an ext4 unless set
 */
export async function workbench(
  disk: "plain" | "tmpfs" | "ext4" | "none",
  megabytes = disk === "ext4" ? 32 : 64,
): Promise<Workbench> {
  const { folder } = newFolder("rs");
  onTestFinished(async () => {
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true });
  });
  // What is known of a disk counts a moment longer, and the folder of an earlier test may be used again.
  const backupRoot = join(folder, `disk-${++made}`);
  const source = join(folder, "repos", "demo");
  mkdirSync(backupRoot);
  mkdirSync(source, { recursive: true });
  const bench: Workbench = {
    folder,
    image: join(folder, "image"),
    spec: {
      name: "demo",
      source,
      destination: join(backupRoot, "demo"),
      backupRoot,
      maxAge: 3600,
      hostId: "host-a",
      stackId: "stack-a",
      recordsDir: join(folder, "state", "backups"),
    },
  };
  if (disk === "tmpfs")
    await mount("-t", "tmpfs", "-o", `size=${megabytes}M`, "backup", backupRoot);
  if (disk === "ext4") {
    await makeExt4(bench.image, megabytes);
    await mount("-o", "loop", bench.image, backupRoot);
  }
  return bench;
}

export async function makeExt4(image: string, sizeMb: number): Promise<void> {
  await execa("truncate", ["-s", `${sizeMb}M`, image]);
  await execa("mkfs.ext4", ["-q", "-F", "-I", "256", "-O", "^has_journal", image]);
}

/** A repository with a few files. */
export function fillSmall({ spec }: Workbench, count = 8): void {
  for (let i = 0; i < count; i++) writeFileSync(join(spec.source, `file-${i}`), `content ${i}\n`);
  mkdirSync(join(spec.source, "folder"), { recursive: true });
  writeFileSync(join(spec.source, "folder", "deep"), "deep\n");
}
