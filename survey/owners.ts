// Who on this host owns a repository, and whether that person may exist inside a container.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { promisify } from "node:util";

export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

const run = promisify(execFile);

/**
 * The accounts of some uids, from the host's name service (files, LDAP, …) in one question.
 * For the user who runs this, `USER` and `HOME` say more than the database.
 */
export async function accounts(uids: number[]): Promise<Map<number, Account>> {
  const found = new Map<number, Account>();
  const own = process.getuid?.();
  const others = uids.filter((uid) => uid !== own);
  if (own !== undefined && uids.includes(own)) {
    const { username, gid, homedir } = userInfo();
    const { USER, HOME } = process.env;
    found.set(own, { name: USER || username, uid: own, gid, home: HOME || homedir });
  }
  if (others.length === 0) return found;
  // Exit code 2 says that some are unknown; the others are printed all the same.
  const { stdout } = await run("getent", ["passwd", ...others.map(String)]).catch(
    (error: { stdout?: string }) => error,
  );
  for (const line of (stdout ?? "").split("\n")) {
    const [name, , uid, gid, , home] = line.split(":");
    if (name && uid && gid && home) {
      found.set(Number(uid), { name, uid: Number(uid), gid: Number(gid), home });
    }
  }
  return found;
}

/** One line of `/etc/subuid`: ids that root may hand to a container. */
interface IdRange {
  first: number;
  count: number;
}

/** The ids that Incus, running as root, may map: read once per survey. */
export class SubordinateIds {
  private readonly uids: IdRange[];
  private readonly gids: IdRange[];

  private constructor(uids: IdRange[], gids: IdRange[]) {
    this.uids = uids;
    this.gids = gids;
  }

  static async read(): Promise<SubordinateIds> {
    const [uids, gids] = await Promise.all([ranges("/etc/subuid"), ranges("/etc/subgid")]);
    return new SubordinateIds(uids, gids);
  }

  /** The lines that are missing for an account, by file. */
  missing({ uid, gid }: { uid: number; gid: number }): string[] {
    const lines = [];
    if (!covers(this.uids, uid)) lines.push(`root:${uid}:1 in /etc/subuid`);
    if (!covers(this.gids, gid)) lines.push(`root:${gid}:1 in /etc/subgid`);
    return lines;
  }
}

async function ranges(file: string): Promise<IdRange[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [owner, first, count] = line.trim().split(":");
    if (owner !== "root" && owner !== "0") return [];
    return [{ first: Number(first), count: Number(count) }];
  });
}

function covers(list: IdRange[], id: number): boolean {
  return list.some(({ first, count }) => id >= first && id < first + count);
}
