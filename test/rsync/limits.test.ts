import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeChanges, nothingToCopy } from "../../rsync/limits.ts";
import { noCounts } from "../../rsync/output.ts";
import { checkSpec } from "../../rsync/spec.ts";
import type { LastGood } from "../../rsync/types.ts";
import { plainSpec } from "./plain-spec.ts";

const MOUNT = { mountPoint: "/", fstype: "ext4", source: "/dev/sda1" };
const lastGood = (files: number, bytes: number): LastGood => ({
  at: "2026-01-01T00:00:00Z",
  files,
  bytes,
  disk: { id: "d", ...MOUNT },
  destinationMount: MOUNT,
  sourceMount: MOUNT,
});

function judge(
  numbers: {
    files: number;
    bytes?: number;
    created?: number;
    deletions?: number;
    repacked?: number;
    unfinished?: number;
    gone?: boolean;
  },
  more: {
    last?: LastGood;
    allowDeletes?: boolean | number;
    noDelete?: boolean;
    brokeOff?: boolean;
    spec?: Parameters<typeof plainSpec>[0];
    sourceMount?: typeof MOUNT;
  } = {},
) {
  const { files, bytes = 1000, created = 0, deletions = 0, repacked = 0 } = numbers;
  const { unfinished = 0, gone = false } = numbers;
  return judgeChanges(
    checkSpec(plainSpec(more.spec)),
    { counts: { ...noCounts(), files, bytes, created }, deletions, unfinished, repacked, gone },
    {
      last: more.last,
      sourceMount: more.sourceMount ?? MOUNT,
      allowDeletes: more.allowDeletes ?? false,
      noDelete: more.noDelete ?? false,
      brokeOff: more.brokeOff ?? false,
    },
  );
}

describe("the limits on deletions", () => {
  test("let a quarter go, and not more", () => {
    expect(judge({ files: 75, deletions: 25 })).toEqual({ maxDelete: 25 });
    expect(judge({ files: 74, deletions: 26 }).refused?.reason).toBe(
      "26 of 100 files (26 %) would be deleted on the copy, more than the limit of 25 %",
    );
  });

  test("do not count the one file at which a run was killed", () => {
    const killed = { files: 2, deletions: 1, unfinished: 1 };
    expect(judge(killed, { brokeOff: true })).toEqual({ maxDelete: 1 });
    expect(judge(killed).refused).toBeDefined();
    expect(
      judge({ ...killed, deletions: 3, unfinished: 3 }, { brokeOff: true }).refused,
    ).toBeDefined();
  });

  test("count the copy's files, not the source's", () => {
    // 100 on the copy, 60 of them gone; 1000 new ones do not make up for them.
    expect(judge({ files: 1040, created: 1000, deletions: 60 }).refused).toBeDefined();
  });

  test("hold by number in a large copy", () => {
    expect(judge({ files: 100_000, deletions: 1000 }).refused).toBeUndefined();
    expect(judge({ files: 100_000, deletions: 1001 }).refused?.reason).toContain("limit of 1000");
  });

  test("are the project's own where it has some", () => {
    const spec = { maxDelete: 5, maxDeletePercent: 100 };
    expect(judge({ files: 10, deletions: 5 }, { spec }).refused).toBeUndefined();
    expect(judge({ files: 10, deletions: 6 }, { spec }).refused).toBeDefined();
  });

  test("do not count what git has packed", () => {
    expect(judge({ files: 50, deletions: 7000, repacked: 6995 }).refused).toBeUndefined();
    const last = lastGood(7050, 1e9);
    expect(judge({ files: 50, deletions: 7000, repacked: 6995 }, { last }).refused).toBeUndefined();
  });

  test("are open when asked for, and then hold for the run itself", () => {
    // As many as somebody has agreed with, or as the limits allow anyway.
    expect(judge({ files: 10, deletions: 90 }, { allowDeletes: 90 })).toEqual({ maxDelete: 90 });
    expect(judge({ files: 80, deletions: 20 }, { allowDeletes: 3 })).toEqual({ maxDelete: 25 });
    expect(judge({ files: 10, deletions: 90 }, { allowDeletes: 89 }).refused?.reason).toBe(
      "90 files would be deleted by now, and 89 were agreed with",
    );
    expect(judge({ files: 1, deletions: 5000 }, { allowDeletes: true })).toEqual({
      maxDelete: 6000,
    });
  });

  test("hold for any numbers: what passes deletes no more than both limits", () => {
    const size = fc.nat(200_000);
    fc.assert(
      fc.property(size, size, fc.nat(2000), fc.nat(100), (kept, deletions, maxDelete, percent) => {
        const spec = { maxDelete, maxDeletePercent: percent };
        const verdict = judge({ files: kept, deletions }, { spec });
        const within = deletions <= maxDelete && deletions * 100 <= (kept + deletions) * percent;
        expect(verdict.refused === undefined).toBe(within);
        expect(verdict.maxDelete).toBeLessThanOrEqual(maxDelete);
      }),
    );
  });
});

describe("the floors", () => {
  test("refuse a source that has lost most of its files or bytes", () => {
    const last = lastGood(1000, 1_000_000);
    expect(judge({ files: 499, bytes: 1e6 }, { last }).refused?.reason).toContain("1000");
    expect(judge({ files: 500, bytes: 1e5 }, { last }).refused).toBeUndefined();
    expect(judge({ files: 1000, bytes: 99_999 }, { last }).refused?.reason).toContain("bytes");
  });

  test("go by what is still on the copy after a run that broke off, as long as there is one", () => {
    const last = lastGood(1000, 1_000_000);
    const packed = { files: 400, bytes: 1e6, created: 0, deletions: 10 };
    expect(judge(packed, { last }).refused?.reason).toContain("1000");
    expect(judge(packed, { last, brokeOff: true }).refused).toBeUndefined();
    expect(judge({ ...packed, gone: true }, { last, brokeOff: true }).refused).toBeDefined();
    expect(judge(packed, { last, brokeOff: true, noDelete: true }).refused).toBeDefined();
  });

  test("hold without deletions too", () => {
    const last = lastGood(1000, 1e6);
    expect(judge({ files: 2, bytes: 5 }, { last, noDelete: true }).refused).toBeDefined();
  });

  test("say so when the file system is another one", () => {
    const last = lastGood(1000, 1e6);
    const sourceMount = { mountPoint: "/repos", fstype: "tmpfs", source: "t" };
    expect(judge({ files: 2 }, { last, sourceMount }).refused?.reason).toContain(
      "is something not mounted?",
    );
  });
});

test("excludes that leave nothing are no backup", () => {
  const spec = checkSpec(plainSpec());
  expect(nothingToCopy(spec, { ...noCounts(), files: 1 })?.result).toBe("refused");
  expect(nothingToCopy(spec, { ...noCounts(), files: 2 })).toBeUndefined();
  expect(nothingToCopy(spec, noCounts(), { code: 11 })).toBeUndefined();
});
