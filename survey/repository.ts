// What is on the host where a project's repository and mounts should be.

import { realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import type { Project } from "../registry/types.ts";

/** The id of files whose owner the kernel cannot name, such as another user namespace's. */
const NOBODY = 65534;

export interface RepositoryFacts {
  uid: number;
  gid: number;
}

/** Trouble with one project: said at preview, and its container is left as it is. */
export interface Trouble {
  fault: string;
}

export interface MountFacts {
  /** Why the container cannot start, if a mount that it needs is not there. */
  fault?: string;
  warnings: string[];
}

/**
 * @param reposRoot absolute; a repository that a link leads out of it is refused, since its mirror
 *   and its container would be of something that the registry does not name
 */
export async function lookAtRepository(
  { name, repo }: Pick<Project, "name" | "repo">,
  reposRoot: string,
): Promise<RepositoryFacts | Trouble> {
  const at = `project "${name}": the repository ${JSON.stringify(repo)}`;
  try {
    const [facts, real, root] = await Promise.all([
      stat(repo),
      realpath(repo),
      realpath(reposRoot),
    ]);
    if (!facts.isDirectory()) return { fault: `${at} is not a directory` };
    if (real !== root && !real.startsWith(root === sep ? sep : root + sep)) {
      return {
        fault: `${at} is a link that leads out of repos_root, to ${JSON.stringify(real)}\n  Move it under repos_root, or remove the project from the registry.`,
      };
    }
    if (facts.uid === NOBODY || facts.gid === NOBODY) {
      return {
        fault: `${at} belongs to nobody (${facts.uid}:${facts.gid}), so no user inside can be given it\n  Give it its owner: chown -R <user>: ${JSON.stringify(repo)}`,
      };
    }
    return { uid: facts.uid, gid: facts.gid };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return {
        fault: `${at} is not there\n  Mount its disk or move it back, correct \`repo\` in the registry, or set enabled = false.`,
      };
    }
    return { fault: `${at} cannot be read: ${(error as Error).message}` };
  }
}

export async function lookAtMounts({ name, mounts }: Project): Promise<MountFacts> {
  const facts: MountFacts = { warnings: [] };
  await Promise.all(
    mounts.map(async ({ source, path, optional }) => {
      const there = await stat(source).then(
        () => true,
        () => false,
      );
      if (there) return;
      const what = `project "${name}": ${JSON.stringify(source)}, mounted at ${JSON.stringify(path)}, is not there`;
      if (optional)
        facts.warnings.push(`${what}; it is optional, so the container starts without it`);
      else
        facts.fault ??= `${what}\n  Make it, correct the mount in the registry, or mark it optional = true.`;
    }),
  );
  return facts;
}
