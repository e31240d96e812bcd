import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BackupSpec, mirror, type RunRecord } from "../../rsync/index.ts";
import { unmountBelow } from "../rig/mounts.ts";
import { signal } from "../rig/processes.ts";
import { at, entriesOf } from "./files-of.ts";
import { hold } from "./hold.ts";
import { repaired } from "./repaired.ts";
import { differences } from "./same-tree.ts";
import { rsyncs } from "./victim.ts";
import { workbench } from "./workbench.ts";

/** Names that have broken programs before; bytes as latin1. */
const NAME = fc.constantFrom(
  ...[
    "a",
    "b",
    "-n",
    "new\nline",
    "sp ace",
    "\xff\xfe",
    "*",
    "[x]",
    "\\",
    "\\#012",
    "#c",
    "x".repeat(255),
  ],
);
/** Folders; some look like git's, so that the order of a git copy is used. */
const FOLDER = fc.constantFrom(
  "",
  "d",
  "d/\xe9",
  ".git",
  ".git/objects/ab",
  ".git/refs",
  "bare/objects/pack",
  "e:f",
);
const PATH = fc.tuple(FOLDER, NAME).map(([folder, name]) => (folder ? `${folder}/${name}` : name));
const SIZE = fc.oneof(
  { weight: 6, arbitrary: fc.nat(60_000) },
  { weight: 1, arbitrary: fc.constant(4e6) },
);
const CONTENT = fc.tuple(fc.nat(255), SIZE).map(([byte, size]) => Buffer.alloc(size, byte));

/**
 * Where a run is cut off: so many ms after its beginning, or where rsync opens one of the files that
 * are to be copied, the how manieth of them.
 */
interface Cut {
  how: "abort" | "kill";
  at: { ms: number } | { file: number };
}

type Step =
  | { kind: "write"; path: string; content: Buffer }
  | { kind: "git"; at: string }
  | { kind: "remove" | "folder" | "link" | "symlink" | "rename"; path: string; other: string }
  | { kind: "mode"; path: string; mode: number }
  | { kind: "owner"; path: string; uid: number; gid: number }
  | { kind: "attribute"; path: string; name: string; value: string }
  | { kind: "run"; allowDeletes: boolean; cut: Cut | undefined };

const EDIT: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("write" as const), path: PATH, content: CONTENT }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("remove" as const, "folder", "link", "symlink", "rename"),
      path: PATH,
      other: PATH,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("git" as const),
      at: fc.constantFrom(".git", "bare"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("mode" as const),
      path: PATH,
      mode: fc.constantFrom(0o600, 0o4755, 0o000, 0o1777),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("owner" as const),
      path: PATH,
      uid: fc.constantFrom(0, 1000, 100_123),
      gid: fc.constantFrom(0, 100_456),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("attribute" as const),
      path: PATH,
      name: fc.constantFrom("user.note", "trusted.note", "acl"),
      value: fc.constantFrom("u:100789:rw", "g:7:r", "u:1:-"),
    }),
  },
);
const RUN: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant("run" as const),
  allowDeletes: fc.boolean(),
  cut: fc.option(
    fc.record({
      how: fc.constantFrom("abort" as const, "kill"),
      at: fc.oneof(
        { weight: 1, arbitrary: fc.record({ ms: fc.nat(160) }) },
        { weight: 3, arbitrary: fc.record({ file: fc.nat(1000) }) },
      ),
    }),
    { nil: undefined },
  ),
});
const STORY = fc
  .array(fc.tuple(fc.array(EDIT, { minLength: 1, maxLength: 12 }), RUN), {
    minLength: 2,
    maxLength: 4,
  })
  .map((parts) => parts.flatMap(([edits, run]) => [...edits, run]));

/** Makes one edit, if it can be made. */
function edit(root: string, step: Step): void {
  const inGit = (path: string) =>
    path
      .split("/")
      .slice(0, 2)
      .join("/")
      .replace(/^(?!\.git|bare).*/, "");
  try {
    if (step.kind === "run") return;
    if (step.kind === "git") {
      // Just enough for it to count as a git folder.
      mkdirSync(at(root, `${step.at}/refs`), { recursive: true });
      mkdirSync(at(root, `${step.at}/objects`), { recursive: true });
      writeFileSync(at(root, `${step.at}/HEAD`), "ref: refs/heads/main\n");
      return;
    }
    const parent = step.path.slice(0, Math.max(0, step.path.lastIndexOf("/")));
    mkdirSync(at(root, parent), { recursive: true });
    const path = at(root, step.path);
    if (step.kind === "write") writeFileSync(path, step.content);
    else if (step.kind === "mode") chmodSync(path, step.mode);
    else if (step.kind === "owner") lchownSync(path, step.uid, step.gid);
    else if (step.kind === "attribute") setAttribute(path, step);
    else if (step.kind === "remove") rmSync(path, { recursive: true });
    else if (step.kind === "folder") mkdirSync(path);
    else if (step.kind === "symlink") symlinkSync(at("..", step.other), path);
    else if (step.kind === "rename") renameSync(path, at(root, step.other));
    // Links between git's objects, its refs and the rest are kept by no copy in phases.
    else if (inGit(step.path) === inGit(step.other)) linkSync(path, at(root, step.other));
  } catch {
    // Such as a file where a folder is wanted: then there is nothing to edit.
  }
}

function setAttribute(path: Buffer, { name, value }: { name: string; value: string }): void {
  const argument = path.toString();
  // No argument of a program started from here is any other than UTF-8.
  if (!Buffer.from(argument).equals(path) || lstatSync(path).isSymbolicLink()) return;
  if (name === "acl") execFileSync("setfacl", ["-m", value, "--", argument], { stdio: "ignore" });
  else execFileSync("setfattr", ["-n", name, "-v", value, "--", argument], { stdio: "ignore" });
}

type Entries = ReturnType<typeof entriesOf>;

/** One run, cut off where told. @returns also whether it stood still at a file when the cut came */
async function run(
  spec: BackupSpec,
  { cut, allowDeletes }: Step & { kind: "run" },
  toCopy: readonly string[],
): Promise<{ record: RunRecord; hit: boolean }> {
  const stop = new AbortController();
  const cutOff = () => {
    if (cut?.how === "abort") return stop.abort();
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGKILL");
  };
  const running = () => mirror(spec, { signal: stop.signal, allowDeletes });
  const file = cut && "file" in cut.at && toCopy[cut.at.file % Math.max(1, toCopy.length)];
  if (!file) {
    const timer = cut && "ms" in cut.at ? setTimeout(cutOff, cut.at.ms) : undefined;
    const record = await running();
    clearTimeout(timer);
    return { record, hit: false };
  }
  const held = await hold(join(spec.source, file));
  let hit = false;
  const record = running();
  const asked = held.asked.then(() => {
    hit = true;
    cutOff();
  });
  await Promise.race([asked, record]);
  await held.release();
  return { record: await record, hit };
}

const isObject = (path: string) => /(^|\/)objects\//.test(path);

/** What a run may have deleted that nobody has allowed it to: a quarter, and of git's objects what is packed. */
function expectBounded(before: Entries, after: Entries): void {
  const lost = [...before.keys()].filter((path) => !after.has(path));
  // The copy itself counts as one.
  const quarter = Math.floor((before.size + 1) / 4);
  if (lost.length <= quarter) return;
  expect(lost.filter((path) => !isObject(path)).length).toBeLessThanOrEqual(quarter);
  const objects = (entries: Entries) => [...entries.keys()].filter(isObject).length;
  expect(objects(after)).toBeGreaterThanOrEqual(objects(before) * 0.75);
}

// More of them find more: PROPERTY_RUNS=500.
const numRuns = Number(process.env.PROPERTY_RUNS ?? 8);

const UNFINISHED = /(^|\/)\.[^/]+\.[A-Za-z0-9]{6}$/;

test(
  "whatever is edited and wherever runs break off, the copy holds whole files, loses none, and ends equal",
  async () => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(STORY, async (story) => {
        const bench = await workbench("tmpfs", 256);
        const { spec } = bench;
        /** Every content that a path has ever had. */
        const ever = new Map<string, Set<string>>();
        let good: Entries = new Map();
        let copy: Entries = new Map();
        writeFileSync(at(spec.source, "first"), "first");
        for (const step of story) {
          if (step.kind !== "run") {
            edit(spec.source, step);
            continue;
          }
          const now = entriesOf(spec.source);
          for (const [path, content] of now) {
            ever.set(path, (ever.get(path) ?? new Set()).add(content));
          }
          const before = copy;
          const toCopy = [...now.keys()].filter(
            (path) =>
              now.get(path) !== "" && now.get(path) !== before.get(path) && /^[ -~\n]+$/.test(path),
          );
          const { record, hit } = await run(spec, step, toCopy);
          copy = existsSync(spec.destination) ? entriesOf(spec.destination) : new Map();
          // A first copy that is killed leaves the one file at which it was, under a name that says so.
          const left = [...copy.keys()].filter((path) => UNFINISHED.test(path) && !ever.has(path));
          expect(left.length).toBeLessThanOrEqual(good.size === 0 ? 1 : 0);
          for (const path of left) copy.delete(path);
          for (const [path, content] of copy) {
            expect(ever.get(path)?.has(content), `${path} is one that the source had`).toBe(true);
          }
          if (!step.allowDeletes) expectBounded(before, copy);
          const { result, reason } = record;
          if (hit) {
            cuts += 1;
            expect({ result, reason }).toMatchObject({ result: "failed" });
          }
          if (result === "ok") {
            expect(await differences(spec.source, spec.destination)).toEqual([]);
            good = copy;
          } else {
            expect(["failed", "refused"], reason).toContain(result);
            if (result === "failed") expect(step.cut, reason).toBeDefined();
            const lost = [...good.keys()].filter((path) => !copy.has(path));
            // Only what the source no longer has is deleted; and nothing, where it is refused.
            for (const path of lost) expect(now.has(path)).toBe(false);
            if (result === "refused") expect(copy).toEqual(before);
          }
        }
        await repaired(bench, { allowDeletes: true });
        // There may be many of them.
        await unmountBelow(bench.folder);
      }),
      { numRuns, endOnFailure: true },
    );
    expect(cuts).toBeGreaterThan(numRuns / 6);
  },
  numRuns * 10_000,
);
