import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BackupSpec, mirror } from "../../rsync/index.ts";
import { signal } from "../rig/processes.ts";
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

/** Where a run is cut off: so many ms after its beginning, or after the first bytes. */
interface Cut {
  how: "abort" | "kill";
  from: "begin" | "copying";
  after: number;
}

type Step =
  | { kind: "write"; path: string; content: Buffer }
  | { kind: "git"; at: string }
  | { kind: "remove" | "folder" | "link" | "symlink" | "rename"; path: string; other: string }
  | { kind: "mode"; path: string; mode: number }
  | { kind: "run"; allowDeletes: boolean; cut?: Cut };

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
);
const RUN: fc.Arbitrary<Step> = fc.record(
  {
    kind: fc.constant("run" as const),
    allowDeletes: fc.boolean(),
    cut: fc.record({
      how: fc.constantFrom("abort" as const, "kill"),
      from: fc.constantFrom("begin" as const, "copying"),
      after: fc.nat(40),
    }),
  },
  { requiredKeys: ["kind", "allowDeletes"] },
);
const STORY = fc
  .array(fc.tuple(fc.array(EDIT, { minLength: 1, maxLength: 12 }), RUN), {
    minLength: 2,
    maxLength: 4,
  })
  .map((parts) => parts.flatMap(([edits, run]) => [...edits, run]));

const at = (root: string, path: string) =>
  Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);

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

/** The regular files below a folder and their content. */
function filesOf(root: string, below = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(at(root, below), "latin1")) {
    const path = below ? `${below}/${name}` : name;
    const stat = lstatSync(at(root, path));
    if (stat.isDirectory()) for (const [key, value] of filesOf(root, path)) found.set(key, value);
    else if (stat.isFile()) found.set(path, readFileSync(at(root, path)).toString("latin1"));
  }
  return found;
}

async function run(spec: BackupSpec, { cut, allowDeletes }: Step & { kind: "run" }) {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const cutOff = () => {
    if (cut?.how === "abort") return stop.abort();
    for (const { pid } of rsyncs(spec)) signal(pid, "SIGKILL");
  };
  if (cut?.from === "begin") timer = setTimeout(cutOff, cut.after * 4);
  const record = await mirror(spec, {
    signal: stop.signal,
    allowDeletes,
    onProgress: ({ phase }) => {
      if (phase === "copying" && cut?.from === "copying") timer ??= setTimeout(cutOff, cut.after);
    },
  });
  clearTimeout(timer);
  return record;
}

test("whatever is edited and wherever runs break off, the copy holds whole files, loses none, and ends equal", async () => {
  await fc.assert(
    fc.asyncProperty(STORY, async (story) => {
      const { spec } = await workbench("plain");
      /** Every content that a path has ever had. */
      const ever = new Map<string, Set<string>>();
      let good = new Map<string, string>();
      writeFileSync(at(spec.source, "first"), "first");
      for (const step of story) {
        if (step.kind !== "run") {
          edit(spec.source, step);
          continue;
        }
        const now = filesOf(spec.source);
        for (const [path, content] of now)
          ever.set(path, (ever.get(path) ?? new Set()).add(content));
        const record = await run(spec, step);
        let copy = new Map<string, string>();
        try {
          copy = filesOf(spec.destination);
        } catch {
          // Not made yet.
        }
        for (const [path, content] of copy) {
          expect(ever.get(path)?.has(content), `${path} is one that the source had`).toBe(true);
        }
        if (record.result === "ok") {
          expect(await differences(spec.source, spec.destination)).toEqual([]);
          good = copy;
        } else {
          expect(["failed", "refused"]).toContain(record.result);
          const lost = [...good.keys()].filter((path) => !copy.has(path));
          // Only what the source no longer has is deleted; and nothing, where it is refused.
          for (const path of lost) expect(now.has(path)).toBe(false);
          if (record.result === "refused") expect(lost).toEqual([]);
        }
      }
      await repaired({ spec }, { allowDeletes: true });
    }),
    { numRuns: 12, endOnFailure: true },
  );
});
