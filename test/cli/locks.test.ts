import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  describeLock,
  judge,
  judgeLocks,
  type LockContent,
  removeLock,
} from "../../cli/pulumi/locks.ts";

let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "locks-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** A process whose program has the given name. */
async function program(name: string): Promise<number> {
  const file = join(folder, name);
  await copyFile("/bin/sleep", file);
  const child = spawn(file, ["60"], { stdio: "ignore" });
  children.push(child);
  await once(child, "spawn");
  return child.pid ?? 0;
}

async function deadPid(): Promise<number> {
  const child = spawn("true", { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

const lock = (pid: number, over: Partial<LockContent> = {}): LockContent => ({
  pid,
  username: "dev",
  hostname: hostname(),
  timestamp: new Date().toISOString(),
  ...over,
});

const HOUR = 3_600_000;

describe("a lock of Pulumi", () => {
  test("of a process that has ended is dead", async () => {
    expect(await judge(lock(await deadPid()))).toEqual({
      alive: false,
      why: "that process has ended",
    });
  });

  test("of a running Pulumi is alive", async () => {
    expect(await judge(lock(await program("pulumi")))).toEqual({ alive: true });
  });

  test("of a zombie is dead", async () => {
    // What takes the shell's place does not know of the child and never reaps it.
    const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(parent);
    const [line] = await once(parent.stdout, "data");
    const pid = Number(String(line));
    while (!/^State:\tZ/m.test(await readFile(`/proc/${pid}/status`, "utf8"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await judge(lock(pid))).toEqual({ alive: false, why: "that process has ended" });
  });

  test("whose number another program has been given since is dead", async () => {
    const pid = await program("editor");
    const verdict = await judge(
      lock(pid, { timestamp: new Date(Date.now() - HOUR).toISOString() }),
    );
    expect(verdict).toEqual({
      alive: false,
      why: "that process has ended; its number is now editor's",
    });
  });

  test("that another program took before it was replaced is alive", async () => {
    const pid = await program("wrapper");
    expect(
      await judge(lock(pid, { timestamp: new Date(Date.now() + HOUR).toISOString() })),
    ).toEqual({ alive: true });
  });

  test("of a Pulumi that seems to be younger than its lock is alive: the clock may have been set", async () => {
    const pid = await program("pulumi");
    expect(
      await judge(lock(pid, { timestamp: new Date(Date.now() - HOUR).toISOString() })),
    ).toEqual({ alive: true });
  });

  test("of another host is alive, whatever runs here", async () => {
    expect(await judge(lock(await deadPid(), { hostname: "elsewhere" }))).toEqual({ alive: true });
  });

  test.each([0, -1, 1.5, Number.NaN])("with the nonsensical number %d is alive", async (pid) => {
    expect(await judge(lock(pid))).toEqual({ alive: true });
  });
});

describe("a folder of locks", () => {
  test("that is absent has none", async () => {
    expect(await judgeLocks(join(folder, "absent"))).toEqual([]);
  });

  test("loses the dead ones, with their attributes, and keeps the living", async () => {
    const locks = join(folder, "locks");
    await mkdir(locks);
    const dead = lock(await deadPid(), { timestamp: "2026-01-02T03:04:05Z" });
    await writeFile(join(locks, "dead.json"), JSON.stringify(dead));
    await writeFile(join(locks, "dead.json.attrs"), "{}");
    await writeFile(join(locks, "live.json"), JSON.stringify(lock(await program("pulumi"))));
    await writeFile(join(locks, "half.json"), '{"pid":');

    const judged = await judgeLocks(locks);
    expect(judged.map(({ verdict }) => verdict.alive).sort()).toEqual([false, true]);
    for (const each of judged) {
      if (each.verdict.alive) continue;
      expect(describeLock(each)).toBe(
        `dev@${hostname()} (pid ${dead.pid}, since 2026-01-02T03:04:05Z)`,
      );
      await removeLock(each);
    }
    expect((await readdir(locks)).sort()).toEqual(["half.json", "live.json"]);
  });
});
