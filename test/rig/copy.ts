import { lchownSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { layout, readStamp, writeStamp } from "../../tools/toolchain.js";
import { which } from "../../tools/which.js";
import { mount } from "./mounts.ts";
import type { User } from "./users.ts";

/** The checkout under test; read-only in here. */
export const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Copies the project as it is now (what is committed, changed and new, but nothing ignored), so that
 * what a run writes beside it never lands in the checkout.
 *
 * @param to an absent folder
 */
export async function copyProject(to: string, owner: User): Promise<void> {
  const { stdout } = await execa(
    "git",
    ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: PROJECT, stripFinalNewline: false },
  );
  mkdirSync(to, { recursive: true });
  for (const file of stdout.split("\0").filter(Boolean)) {
    // Listed, but removed in the working copy.
    if (!lstatSync(join(PROJECT, file), { throwIfNoEntry: false })) continue;
    await cp(join(PROJECT, file), join(to, file), {
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
  }
  own(to, owner);
  const modules = join(to, "node_modules");
  mkdirSync(modules);
  await mount("--bind", join(PROJECT, "node_modules"), modules);
}

/**
 * Gives a user the toolchain that set-up made for this checkout, as if set-up had been run for
 * theirs: a folder of their own whose large parts are links.
 *
 * @param env of the user
 * @param root the user's copy of the project
 */
export async function linkToolchain(env: NodeJS.ProcessEnv, root: string, owner: User) {
  const real = { REPOMAN_TOOLCHAIN: process.env.REPOMAN_RIG_TOOLCHAIN };
  const { folder } = layout(env);
  mkdirSync(folder, { recursive: true });
  for (const name of list(layout(real).folder)) {
    if (["ready", "setup.lock", "logs", "build"].includes(name)) continue;
    symlinkSync(join(layout(real).folder, name), join(folder, name));
  }
  const found = readStamp(real, PROJECT);
  const pulumi = found?.pulumi ?? which("pulumi", process.env.PATH ?? "");
  if (!pulumi) throw new Error("there is no pulumi: run `npm start` or `npm test` once");
  await writeStamp(env, root, { node: found?.node ?? process.execPath, pulumi });
  own(folder, owner);
}

/** Makes the user the owner of a folder and all in it; links are not followed. */
export function own(path: string, { uid, gid }: User): void {
  lchownSync(path, uid, gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) own(join(path, name), { uid, gid } as User);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
