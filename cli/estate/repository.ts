// Making or fetching a repository with git, whole or not at all.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { EXIT, Fault } from "../../host/fault.js";
import { lookAt, silenceFault } from "../../host/look.ts";
import { quote } from "../../registry/text.ts";
import { findProgram } from "../find-program.ts";
import { note } from "../output/say.ts";
import { cloneUrl } from "./clone-url.ts";

/** How a repository comes to be that is not there. */
export interface Origin {
  /** An empty one. */
  create?: boolean | undefined;
  /** A copy of this one. */
  clone?: string | undefined;
}

/**
 * Holds that the repository is there, or can be made.
 *
 * @returns whether it is yet to be made
 * @throws Fault (conflict)
 */
export async function requireRepository(
  path: string,
  { create, clone }: Origin,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const seen = await lookAt(path);
  if ("silent" in seen) throw silenceFault(quote(path), seen);
  if (!seen.ok || seen.type !== "directory") {
    const there = seen.ok;
    if (!there && (create || clone !== undefined)) return true;
    throw new Fault(
      there ? `${quote(path)} is not a directory` : `there is no repository at ${quote(path)}`,
      {
        remedy: there
          ? "Name another with --repo."
          : "Name another with --repo, make it with --create, or fetch it with --clone URL.",
        exitCode: EXIT.conflict,
      },
    );
  }
  if (clone === undefined) return false;
  const { url } = cloneUrl(clone);
  const known = await git(["-C", path, "remote", "get-url", "origin"], env);
  if (known.code === 0 && cloneUrl(known.stdout.trim()).url === url) return false;
  throw new Fault(`${quote(path)} is there already, and no clone of ${quote(url)}`, {
    remedy: "Leave --clone out to use it as it is, or name another directory with --repo.",
    exitCode: EXIT.conflict,
  });
}

/** Makes it. @throws Fault */
export async function provideRepository(
  path: string,
  { clone }: Origin,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const from = clone === undefined ? undefined : cloneUrl(clone, env);
  const work = await besides(path).catch((error: NodeJS.ErrnoException) => {
    throw new Fault(`${quote(dirname(path))} cannot be written (${error.code})`, {
      remedy: "Make it yours, or name another directory with --repo.",
      exitCode: EXIT.environment,
      cause: error,
    });
  });
  const made = join(work, "repo");
  try {
    const args = from ? ["clone", "--", from.url, made] : ["init", "--quiet", "--", made];
    if (from) note(`Cloning ${quote(from.url)}.`);
    // A clone may have to ask for a passphrase, and tells how far it is.
    const { code, stderr } = await git(args, { ...env, ...from?.variables }, from !== undefined);
    if (code !== 0) {
      throw new Fault(
        from
          ? `git could not clone ${quote(from.url)}`
          : `git could not make a repository at ${quote(path)}`,
        { remedy: stderr.trim() || "See what git says above; nothing was changed." },
      );
    }
    await rename(made, path);
    if (from && from.url !== clone) {
      note("The user and password in that URL are not kept: git asks for them the next time.");
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A folder to work in: hidden, so that nobody takes a half of a repository for one. */
async function besides(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  return mkdtemp(join(dirname(path), ".repoman-new-"));
}

/** @param visible whether git talks to the user, at the terminal */
async function git(args: readonly string[], env: NodeJS.ProcessEnv, visible = false) {
  const child = spawn(findProgram("git", env), args, {
    env,
    stdio: visible ? ["inherit", "pipe", "inherit"] : ["ignore", "pipe", "pipe"],
  });
  const output = Promise.all([
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
  ]);
  const [code] = (await once(child, "close")) as [number | null];
  const [stdout, stderr] = await output;
  return { code, stdout, stderr };
}
