import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { Turns } from "../../rsync/turns.ts";

test("no more work at once than there are turns, in the order in which they came, whatever fails", async () => {
  const turns = new Turns(2);
  let now = 0;
  let most = 0;
  const begun: number[] = [];
  const waited: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) =>
      turns.take(
        async () => {
          begun.push(index);
          most = Math.max(most, ++now);
          await pause(2);
          now -= 1;
          if (index % 3 === 0) throw new Error("failed");
        },
        () => waited.push(index),
      ),
    ),
  );
  expect(most).toBe(2);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(waited).toEqual([2, 3, 4, 5, 6, 7, 8]);
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(3);
});
