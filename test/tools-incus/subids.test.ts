import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { missingRanges } from "../../tools/incus/subids.js";

const BASE = "root:1000000:1000000000\n";

describe("what /etc/subuid lacks", () => {
  test("is the user's own id", () => {
    expect(missingRanges(BASE, [1000])).toEqual([{ start: 1000, count: 1 }]);
  });

  test("is nothing when the id is lent already, by itself or in a range, by name or number", () => {
    for (const line of ["root:1000:1", "root:500:1000", "0:1000:1", "root:1000:1 # mine"]) {
      expect(missingRanges(`${BASE}${line}\n`, [1000]), line).toEqual([]);
    }
  });

  test("is not made up for by what is lent to somebody else", () => {
    expect(missingRanges(`${BASE}alice:1000:1\n`, [1000])).toHaveLength(1);
  });

  test("is never an id of root or nobody", () => {
    expect(missingRanges(BASE, [0, 65_534])).toEqual([]);
  });

  test("is each owner's id once", () => {
    expect(missingRanges(BASE, [1000, 1001, 1000])).toEqual([
      { start: 1000, count: 1 },
      { start: 1001, count: 1 },
    ]);
  });

  test("is also root's own range where there is none, beyond everybody else's", () => {
    expect(missingRanges("", [])).toEqual([{ start: 1_000_000, count: 1_000_000_000 }]);
    expect(missingRanges("root:1000:1\n", [1000])).toEqual([
      { start: 1_000_000, count: 1_000_000_000 },
    ]);
    expect(missingRanges("alice:100000:65536\nbob:2000000:65536\n", [])).toEqual([
      { start: 2_065_536, count: 1_000_000_000 },
    ]);
  });

  test("is read past comments, blank lines and rubbish", () => {
    expect(missingRanges(`# root:1000:1\n\nnonsense\n${BASE}`, [1000])).toHaveLength(1);
  });

  test("is nothing any more once it was added", () => {
    const line = fc
      .tuple(
        fc.constantFrom("root", "alice", "0"),
        fc.nat(3000),
        fc.integer({ min: 1, max: 70_000 }),
      )
      .map(([owner, start, count]) => `${owner}:${start}:${count}\n`);
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(70_000)), (lines, ids) => {
        const text = lines.join("");
        const added = missingRanges(text, ids).map(
          ({ start, count }) => `root:${start}:${count}\n`,
        );
        expect(missingRanges(text + added.join(""), ids)).toEqual([]);
      }),
    );
  });
});
