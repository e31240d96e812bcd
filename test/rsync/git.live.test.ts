import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, onTestFinished, test } from "vitest";
import { mirror, pending, type RunRecord } from "../../rsync/index.ts";
import { start } from "../rig/command.ts";
import { until } from "../rig/place.ts";
import { everything } from "./everything.ts";
import { hold } from "./hold.ts";
import { equal, repaired } from "./repaired.ts";
import { differences } from "./same-tree.ts";
import { stateOf } from "./state-of.ts";
import { fill } from "./unfinished.ts";
import { fsck } from "./victim.ts";
import { type Workbench, workbench } from "./workbench.ts";

const IDENTITY = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "gc.auto=0"];
const git = (folder: string, ...args: string[]) =>
  execa("git", ["-c", "safe.directory=*", ...IDENTITY, "-C", folder, ...args]);

async function commit(folder: string, count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    writeFileSync(join(folder, `file-${i % 20}`), `${Math.random()}\n`.repeat(50));
    await git(folder, "add", "-A");
    await git(folder, "commit", "-qm", `commit ${i}`);
  }
}

async function repository(): Promise<Workbench> {
  const bench = await workbench("tmpfs");
  await git(bench.spec.source, "init", "-qb", "main");
  await commit(bench.spec.source, 5);
  return bench;
}

async function whole(bench: Workbench): Promise<void> {
  await equal(bench);
  expect(await fsck(bench.spec.destination)).toBe("");
}

describe("the copy of a git repository", () => {
  test("is equal after commits, branches, packing and pruning", async () => {
    const bench = await repository();
    const { source } = bench.spec;
    const steps: (() => Promise<unknown>)[] = [
      async () => undefined,
      () => commit(source, 3),
      () => git(source, "branch", "topic"),
      () => git(source, "pack-refs", "--all"),
      () => git(source, "repack", "-adq"),
      () => git(source, "branch", "-D", "topic"),
      () => git(source, "gc", "-q"),
      () => git(source, "worktree", "add", "-q", "-b", "side", join(source, "side")),
      () => commit(join(source, "side"), 2),
      () => git(source, "multi-pack-index", "write"),
      () => git(source, "stash", "-q", "--include-untracked").catch(() => undefined),
    ];
    for (const step of steps) {
      await step();
      expect(await mirror(bench.spec)).toMatchObject({ result: "ok", failures: [] });
      await whole(bench);
      expect(await pending(bench.spec)).toMatchObject({ changes: 0, deletions: 0 });
    }
    const record = await mirror(bench.spec);
    expect(record.counts).toMatchObject({ created: 0, copied: 0, deleted: 0 });
  });

  test("counts its files as the comparison does, from the first run on", async () => {
    const bench = await repository();
    await git(bench.spec.source, "init", "-q", "nested/deep");
    const first = await mirror(bench.spec);
    const second = await mirror(bench.spec);
    expect(second.counts).toMatchObject({
      files: first.counts.files,
      bytes: first.counts.bytes,
      created: 0,
    });
  });

  test("is good at submodules, bare and nested repositories, and those with odd names", async () => {
    const bench = await repository();
    const { source } = bench.spec;
    const other = join(bench.folder, "other");
    await git(bench.folder, "init", "-qb", "main", other);
    await commit(other, 2);
    const allow = ["-c", "protocol.file.allow=always"];
    await git(source, ...allow, "submodule", "--quiet", "add", other, "sub");
    await git(source, "clone", "-q", "--bare", other, join(source, "bare.git"));
    await git(source, "clone", "-q", "--no-local", other, join(source, "we?rd [n]*me\\\n"));
    await commit(source);
    expect((await mirror(bench.spec)).result).toBe("ok");
    await whole(bench);
    for (const name of ["sub", "we?rd [n]*me\\\n"]) {
      await commit(join(source, name), 2);
      await git(join(source, name), "gc", "-q", "--prune=now");
    }
    await commit(source);
    expect((await mirror(bench.spec, { allowDeletes: true })).result).toBe("ok");
    await whole(bench);
    for (const name of ["sub", "bare.git", "we?rd [n]*me\\\n"]) {
      expect(await fsck(join(bench.spec.destination, name))).toBe("");
    }
  });

  test("may be a worktree, whose git folder is elsewhere", async () => {
    const bench = await repository();
    const linked = join(bench.folder, "repos", "linked");
    await git(bench.spec.source, "worktree", "add", "-q", "-b", "linked", linked);
    const destination = join(bench.spec.backupRoot, "linked");
    const spec = { ...bench.spec, name: "linked", source: linked, destination };
    expect((await mirror(spec)).result).toBe("ok");
    expect(await differences(linked, destination)).toEqual([]);
  });

  test("is not thinned out by excludes that meet names of git's own", async () => {
    const bench = await repository();
    await git(bench.spec.source, "repack", "-adq");
    await commit(bench.spec.source);
    mkdirSync(join(bench.spec.source, "objects"));
    writeFileSync(join(bench.spec.source, "objects", "built"), "x");
    writeFileSync(join(bench.spec.source, ".repoman-exclude"), "*.pack\nHEAD\n.*\n");
    await mirror({ ...bench.spec, exclude: ["objects/", "logs", "refs", "*.idx"] });
    expect(await fsck(bench.spec.destination)).toBe("");
    expect(readdirSync(bench.spec.destination)).not.toContain("objects");
  });

  test("may do without its git folder, and says whose objects it lacks", async () => {
    const bench = await repository();
    const { source, destination } = bench.spec;
    const bare = { ...bench.spec, name: "bare", destination: `${destination}-bare` };
    expect((await mirror({ ...bare, exclude: [".git/"] })).result).toBe("ok");
    expect(readdirSync(bare.destination)).not.toContain(".git");

    await git(bench.folder, "clone", "-q", "--shared", source, join(bench.folder, "repos/shared"));
    const shared = {
      ...bare,
      name: "shared",
      source: join(bench.folder, "repos/shared"),
      destination: `${destination}-shared`,
    };
    const { warnings } = await mirror(shared);
    expect(warnings.join()).toContain(`borrowed from ${source}/.git/objects`);
    const alternates = join(shared.source, ".git/objects/info/alternates");
    writeFileSync(alternates, "/a\u001b[2Jb\n");
    expect((await mirror(shared)).warnings.join()).toContain("/a\\u{1b}[2Jb");
  });

  test("leaves out git folders below what is excluded", async () => {
    const bench = await repository();
    const vendored = join(bench.spec.source, "node_modules", "x");
    await git(bench.spec.source, "init", "-q", vendored);
    await commit(vendored);
    await mirror({ ...bench.spec, exclude: ["node_modules/"] });
    expect(readdirSync(bench.spec.destination)).not.toContain("node_modules");
    expect(await fsck(bench.spec.destination)).toBe("");
  });
});

describe("the limits", () => {
  test("let git pack as many objects as it likes", async () => {
    const bench = await repository();
    const { source } = bench.spec;
    await commit(source, 40);
    await mirror(bench.spec);
    await git(source, "gc", "-q", "--prune=now");
    const seen = await pending(bench.spec);
    expect(seen.ok && seen.deletions).toBeGreaterThan(100);
    expect(seen).not.toHaveProperty("refused");
    expect((await mirror(bench.spec)).result).toBe("ok");
    await whole(bench);
  });

  test("stop where objects are lost", async () => {
    const bench = await repository();
    await commit(bench.spec.source, 20);
    await mirror(bench.spec);
    const objects = join(bench.spec.source, ".git", "objects");
    for (const name of readdirSync(objects).slice(0, 60))
      rmSync(join(objects, name), { recursive: true });
    expect(await mirror(bench.spec)).toMatchObject({ result: "refused" });
    expect(await fsck(bench.spec.destination)).toBe("");
  });

  test("stop where the whole git folder is gone", async () => {
    const bench = await repository();
    await mirror(bench.spec);
    rmSync(join(bench.spec.source, ".git"), { recursive: true });
    expect(await mirror(bench.spec)).toMatchObject({ result: "refused" });
    expect(await fsck(bench.spec.destination)).toBe("");
  });
});

/** Commits, branches and packs without a rest, as fast as git can. */
const BUSY = `
cd "$1" || exit 1
n=0
while :; do
  n=$((n+1))
  echo $n $RANDOM > file-$((n % 20)); head -c 20000 /dev/urandom | base64 > blob-$((n % 7))
  git add -A && git commit -qm "commit $n"
  [ $((n % 3)) = 0 ] && git branch -f b-$((n % 5)) && git pack-refs --all
  [ $((n % 4)) = 0 ] && git commit -q --amend -m "amended $n"
  [ $((n % 5)) = 0 ] && git repack -adq
  [ $((n % 11)) = 0 ] && git gc -q
  [ $((n % 6)) = 0 ] && git branch -D b-$((n % 5)) -q
done 2>/dev/null`;

describe("while git is at work", () => {
  test("every copy is one that git accepts, the first one, a later one, or one that was broken off", async () => {
    const bench = await repository();
    const { spec } = bench;
    fill(spec.source, 1, 300);
    await everything(spec.source);
    await mirror(spec);
    const env = {
      ...process.env,
      ...{ GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a", GIT_COMMITTER_NAME: "A" },
      ...{ GIT_COMMITTER_EMAIL: "a", GIT_CONFIG_COUNT: "1" },
      ...{ GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" },
    };
    const head = async (copy: string) => (await git(copy, "rev-parse", "HEAD")).stdout;
    const before = await head(spec.destination);
    const busy = start(["bash", "-c", BUSY, "bash", spec.source], { env });
    onTestFinished(() => busy.killAll());
    await until("a commit", async () => (await head(spec.source)) !== before);
    const wrong: string[] = [];
    const judge = async (copy: string, round: string, { result, reason }: RunRecord) => {
      const found = await fsck(copy);
      if (found) wrong.push(`${round}, ${result} ${reason}: ${found}`);
    };
    let after = before;
    // Its branches come along, though git works on: now and then it does not hold still.
    for (let tries = 0; tries < 5 && after === before; tries++) {
      await judge(spec.destination, "a later copy", await mirror(spec));
      after = await head(spec.destination);
    }
    expect(after).not.toBe(before);

    const results: string[] = [];
    for (let tries = 0; tries < 5 && !results.some((result) => /^ok/.test(result)); tries++) {
      const destination = `${spec.destination}-${tries}`;
      const record = await mirror({ ...spec, name: `first-${tries}`, destination });
      results.push(record.result);
      // Git did not hold still, which is said, and no branch has come yet.
      if (record.result === "partial") continue;
      await judge(destination, "a first copy", record);
      expect(await head(destination)).not.toBe(before);
    }
    expect(results.at(-1)).toMatch(/^ok/);

    for (let round = 0; round < 6; round++) {
      const stop = new AbortController();
      // Every other run is cut off somewhere.
      if (round % 2 === 0) setTimeout(() => stop.abort(), 50 + round * 40);
      const record = await mirror(spec, { signal: stop.signal });
      await judge(spec.destination, `round ${round}`, record);
      if (round % 2 === 1) {
        expect(`${record.result} ${record.reason ?? ""}`).toMatch(/^ok|^partial Git's files/);
      }
      await pause(20);
    }
    expect(wrong).toEqual([]);
    await busy.killAll();
    for (const name of [".git/index.lock", ".git/HEAD.lock", ".git/packed-refs.lock"]) {
      rmSync(join(spec.source, name), { force: true });
    }
    await repaired(bench);
    expect(await fsck(spec.destination)).toBe("");
  });

  test("objects that never hold still leave its branches on the copy as they were, and that is said", async () => {
    const bench = await repository();
    const { spec } = bench;
    await mirror(spec);
    const before = await stateOf(join(spec.destination, ".git/refs"));
    await commit(spec.source);
    const object = (folder: string, round: number) =>
      join(spec.source, ".git/objects", folder, `${round}`);
    for (const folder of ["00", "ff"]) {
      mkdirSync(join(spec.source, ".git/objects", folder), { recursive: true });
    }
    const make = async (round: number) => {
      for (const folder of ["00", "ff"]) writeFileSync(object(folder, round), "object");
      return hold(object("00", round));
    };
    let held = await make(0);
    const running = mirror(spec);
    // One that was listed goes away under every copying, as often as it is tried.
    for (let round = 0; round < 5; round++) {
      await held.asked;
      const next = await make(round + 1);
      rmSync(object("ff", round));
      await held.release();
      held = next;
    }
    await held.release();
    expect(await running).toMatchObject({
      result: "partial",
      reason: expect.stringContaining("Git's files changed all the time"),
    });
    expect(await stateOf(join(spec.destination, ".git/refs"))).toBe(before);
    const [old, now] = [spec.destination, spec.source].map((at) => git(at, "rev-parse", "HEAD"));
    expect((await old)?.stdout).not.toBe((await now)?.stdout);
    for (const folder of ["00", "ff"]) {
      for (let round = 0; round <= 5; round++) rmSync(object(folder, round), { force: true });
    }
    expect(await fsck(spec.destination)).toBe("");
    await repaired(bench);
    expect(await fsck(spec.destination)).toBe("");
  });
});
