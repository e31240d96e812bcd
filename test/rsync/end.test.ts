import { describe, expect, test } from "vitest";
import type { Copied } from "../../rsync/copy.ts";
import { type End, endOf, endOfCopy, isFull } from "../../rsync/end.ts";
import type { RunOutcome } from "../../rsync/outcome.ts";
import { noCounts } from "../../rsync/output.ts";
import { checkSpec } from "../../rsync/spec.ts";
import { plainOutcome, plainSpec } from "./plain-spec.ts";

const spec = checkSpec(plainSpec({ stallAfter: 60_000 }));

describe("the end of one rsync", () => {
  const CASES: [string, Partial<RunOutcome>, Partial<End>][] = [
    ["0", { code: 0 }, { result: "ok" }],
    [
      "24: vanished",
      { code: 24, vanished: 3 },
      { result: "ok-vanished", reason: "3 files went away while they were copied" },
    ],
    [
      "23: some not copied, of which it names the first",
      { code: 23, failures: ["rsync: a", "rsync: b"] },
      {
        result: "partial",
        reason: "Some files could not be copied: rsync: a",
        remedy: "Make them readable, or exclude them.",
      },
    ],
    [
      "23 on a disk that is full",
      { code: 23, failures: ['mkstemp "x" failed: No space left on device (28)'] },
      { result: "failed", reason: "The backup disk at /backup is full" },
    ],
    [
      "11 over a quota",
      { code: 11, failures: ['write failed on "x": Disk quota exceeded (122)'] },
      { result: "failed", reason: "The backup disk at /backup is full" },
    ],
    [
      "23 on a disk that is read-only",
      { code: 23, failures: ['mkstemp "x" failed: Read-only file system (30)'] },
      { result: "failed", reason: "The backup disk at /backup is read-only" },
    ],
    [
      "25: the limit on deletions",
      { code: 25, deletionsStopped: true },
      { result: "partial", reason: expect.stringContaining("than may be deleted") },
    ],
    [
      "24 with deletions stopped, which rsync's own code hides",
      { code: 24, vanished: 1, deletionsStopped: true },
      { result: "partial", reason: expect.stringContaining("than may be deleted") },
    ],
    [
      "0 with deletions stopped",
      { code: 0, deletionsStopped: true },
      { result: "partial", reason: expect.stringContaining("than may be deleted") },
    ],
    [
      "23 with deletions stopped: what could not be copied counts for more",
      { code: 23, deletionsStopped: true, failures: ["rsync: a"] },
      { result: "partial", reason: "Some files could not be copied: rsync: a" },
    ],
    [
      "12: any other code, with what rsync said last",
      { code: 12, lastError: "rsync error: error in rsync protocol data stream (code 12)" },
      {
        result: "failed",
        reason:
          "rsync ended with code 12: rsync error: error in rsync protocol data stream (code 12)",
      },
    ],
    ["30 without a word", { code: 30 }, { result: "failed", reason: "rsync ended with code 30" }],
    [
      "4: an rsync that is too old",
      { code: 4, lastError: "rsync error: requested action not supported (code 4)" },
      { result: "failed", remedy: "repoman needs rsync 3.2 or newer: rsync --version" },
    ],
    ["127: no rsync", { code: 127 }, { result: "failed", reason: "rsync is not installed" }],
    ["a signal", { code: null }, { result: "failed", reason: "rsync was killed" }],
    ["an abort", { code: 20, aborted: true }, { result: "failed", reason: "It was interrupted" }],
    [
      "a stall",
      { code: 20, stalled: true },
      { result: "failed", reason: expect.stringMatching(/^Nothing moved for 60 s: /) },
    ],
    [
      "one that is stuck, whatever it was ended for",
      { code: null, stuck: true, stalled: true, aborted: true },
      { result: "failed", reason: expect.stringContaining("hangs and cannot be ended") },
    ],
    [
      "a disk that went away before it began",
      { code: 125, noFolder: true },
      { result: "failed", reason: "The backup disk at /backup went away" },
    ],
  ];
  test.each(CASES)("%s", (_, outcome, end) => {
    const found = endOf(spec, plainOutcome(outcome));
    expect(found).toMatchObject(end);
    // Whoever reads of trouble reads what to do about it.
    expect(found.remedy === undefined).toBe(found.result.startsWith("ok"));
  });
});

describe("the end of a whole copy", () => {
  const copied = (outcome: Partial<RunOutcome> | undefined, restless = false): Copied => ({
    outcome: outcome && plainOutcome(outcome),
    counts: noCounts(),
    failures: [],
    restless,
  });

  test("is that of its worst phase, and good without any", () => {
    expect(endOfCopy(spec, copied(undefined))).toEqual({ result: "ok" });
    expect(endOfCopy(spec, copied({ code: 0 }))).toEqual({ result: "ok" });
    expect(endOfCopy(spec, copied({ code: 24, vanished: 1 })).result).toBe("ok-vanished");
    expect(endOfCopy(spec, copied({ code: null }))).toMatchObject({ reason: "rsync was killed" });
  });

  test("is partial where git did not hold still, unless worse is to be told", () => {
    for (const code of [0, 24]) {
      expect(endOfCopy(spec, copied({ code }, true))).toMatchObject({
        result: "partial",
        reason: expect.stringContaining("branches on the copy are those of the last run"),
      });
    }
    expect(endOfCopy(spec, copied({ code: 23, failures: ["a"] }, true)).reason).toContain(": a");
    expect(endOfCopy(spec, copied({ code: null }, true)).result).toBe("failed");
  });
});

test("a disk is full by what rsync says of one file", () => {
  expect(isFull([])).toBe(false);
  expect(isFull(["Permission denied (13)", "No space left on device (28)"])).toBe(true);
  expect(isFull(["Disk quota exceeded (122)"])).toBe(true);
});
