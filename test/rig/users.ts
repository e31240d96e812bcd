import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { writeFileAtomic } from "../../host/files.js";
import { exclusively } from "./place.ts";

/** One who has an account on the simulated machine. */
export interface User {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

const lines = (file: string) => readFileSync(file, "utf8").split("\n").filter(Boolean);

/** Makes the group unless it is there; returns its number. The run's /etc is private. */
export function ensureGroup(name: string): Promise<number> {
  return exclusively("etc", () => group(name));
}

async function group(name: string): Promise<number> {
  const groups = lines("/etc/group").map((line) => line.split(":"));
  const known = groups.find(([other]) => other === name);
  if (known) return Number(known[2]);
  const used = new Set(groups.map(([, , gid]) => Number(gid)));
  let gid = 700;
  while (used.has(gid)) gid++;
  await writeFileAtomic("/etc/group", `${lines("/etc/group").join("\n")}\n${name}:x:${gid}:\n`);
  return gid;
}

/**
 * Adds `who:start:count` to /etc/subuid and /etc/subgid. A range is added only if `who` has none
 * of that size yet.
 */
export function ensureSubids(who: string, start: number, count: number): Promise<void> {
  return exclusively("etc", async () => {
    for (const file of ["/etc/subuid", "/etc/subgid"]) {
      const known = lines(file).some((line) => {
        const [name, first, size] = line.split(":");
        return (
          name === who && (count === 1 ? Number(first) === start && size === "1" : size !== "1")
        );
      });
      if (!known)
        await writeFileAtomic(file, `${lines(file).join("\n")}\n${who}:${start}:${count}\n`);
    }
  });
}

/**
 * Makes a user with a home of its own, a member of the groups.
 *
 * @param prefix the name without its number
 */
export function makeUser(prefix: string, groups: string[]): Promise<User> {
  return exclusively("etc", async () => {
    const accounts = lines("/etc/passwd").map((line) => line.split(":"));
    const ids = [...accounts, ...lines("/etc/group").map((line) => line.split(":"))];
    const names = new Set(ids.map(([name]) => name));
    const used = new Set(ids.map(([, , id]) => Number(id)));
    let number = 1;
    while (names.has(`${prefix}${number}`)) number++;
    const name = `${prefix}${number}`;
    let uid = 1000;
    while (used.has(uid) || accounts.some(([, , id]) => Number(id) === uid)) uid++;
    const home = `/home/${name}`;
    const add = (file: string, line: string, mode?: number) =>
      writeFileAtomic(file, `${lines(file).join("\n")}\n${line}\n`, mode ? { mode } : {});
    for (const one of groups) await group(one);
    const members = lines("/etc/group").map((line) => {
      const [its = "", , , who = ""] = line.split(":");
      return groups.includes(its) ? `${line}${who ? "," : ""}${name}` : line;
    });
    await writeFileAtomic("/etc/group", `${[...members, `${name}:x:${uid}:`].join("\n")}\n`);
    await add("/etc/passwd", `${name}:x:${uid}:${uid}:Test user,,,:${home}:/bin/bash`);
    await add("/etc/shadow", `${name}:!:20000:0:99999:7:::`);
    mkdirSync(home, { mode: 0o755 });
    chownSync(home, uid, uid);
    return { name, uid, gid: uid, home };
  });
}

/** What to put before a command that the user runs, with the groups that the user has now. */
export function asUser({ uid, gid }: User): string[] {
  if (uid === 0) return [];
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"];
}
