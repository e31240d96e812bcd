import { expect, test } from "vitest";
import { renderDiff } from "../../cli/output/diff.ts";

const lines = (list: (string | number)[]) => list.map((line) => `${line}\n`).join("");

test("two texts that are one have no differences", () => {
  expect(renderDiff("a\n", "a\n", {})).toBe("");
  expect(renderDiff("", "", {})).toBe("");
  // Line ends are nothing that people see.
  expect(renderDiff("a\r\nb\r\n", "a\nb", {})).toBe("");
});

test("each change has the lines around it, and its place in both", () => {
  const before: (string | number)[] = Array.from({ length: 20 }, (_, index) => index + 1);
  const after = before.with(9, 0).toSpliced(17, 2).toSpliced(0, 0, "new");
  expect(renderDiff(lines(before), lines(after), {})).toBe(
    lines([
      "@@ -1 +1 @@",
      "+new",
      " 1",
      " 2",
      " 3",
      "@@ -7 +8 @@",
      " 7",
      " 8",
      " 9",
      "-10",
      "+0",
      " 11",
      " 12",
      " 13",
      "@@ -15 +16 @@",
      " 15",
      " 16",
      " 17",
      "-18",
      "-19",
      " 20",
    ]),
  );
});

test("what a file holds cannot move the cursor, and tabs stay", () => {
  expect(renderDiff("a\u001b[2J\tb\n", "", {})).toBe("@@ -1 +1 @@\n-a\\u001b[2J\tb\n");
});
