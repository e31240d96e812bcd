// What is on the host where a project's repository and mounts should be.

import { sep } from "node:path";
import { lookAt, type Seen, SILENCE_REMEDY } from "../host/look.ts";
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
  const [facts, root] = await Promise.all([lookAt(repo), lookAt(reposRoot)]);
  if (!facts.ok) return { fault: absent(at, facts) };
  if (!root.ok)
    return { fault: absent(`project "${name}": repos_root ${JSON.stringify(reposRoot)}`, root) };
  const { type, real, uid, gid } = facts;
  if (type !== "directory") return { fault: `${at} is not a directory` };
  if (real !== root.real && !real.startsWith(root.real === sep ? sep : root.real + sep)) {
    return {
      fault: `${at} is a link that leads out of repos_root, to ${JSON.stringify(real)}\n  Move it under repos_root, or remove the project from the registry.`,
    };
  }
  if (uid === NOBODY || gid === NOBODY) {
    return {
      fault: `${at} belongs to nobody (${uid}:${gid}), so no user inside can be given it\n  Give it its owner: chown -R <user>: ${JSON.stringify(repo)}`,
    };
  }
  return { uid, gid };
}

function absent(at: string, seen: Seen & { ok: false }): string {
  if ("silent" in seen) return `${at} ${seen.what}\n  ${SILENCE_REMEDY}`;
  if (seen.code === "ENOENT" || seen.code === "ENOTDIR") {
    return `${at} is not there\n  Mount its disk or move it back, correct \`repo\` in the registry, or set enabled = false.`;
  }
  return `${at} cannot be read (${seen.code})\n  Make it readable for this user, or set enabled = false.`;
}

export async function lookAtMounts({ name, mounts }: Project): Promise<MountFacts> {
  const facts: MountFacts = { warnings: [] };
  await Promise.all(
    mounts.map(async ({ source, path, optional }) => {
      const seen = await lookAt(source);
      if (seen.ok) return;
      const silent = "silent" in seen;
      const what = `project "${name}": ${JSON.stringify(source)}, mounted at ${JSON.stringify(path)}, ${silent ? seen.what : "is not there"}`;
      // A container with such a device would hang as it starts, optional or not.
      if (silent) facts.fault ??= `${what}\n  ${SILENCE_REMEDY}`;
      else if (optional) {
        facts.warnings.push(`${what}; it is optional, so the container starts without it`);
      } else {
        facts.fault ??= `${what}\n  Make it, correct the mount in the registry, or mark it optional = true.`;
      }
    }),
  );
  return facts;
}
