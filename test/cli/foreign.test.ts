import { expect, test } from "vitest";
import { harmless, Lines, lastLines } from "../../cli/output/foreign.ts";

test("what a container writes has no effect on the terminal", () => {
  expect(harmless("\u001b[31mred\u001b[0m\tand\tplain\r")).toBe("red\tand\tplain");
  expect(harmless("\u001b]0;owned\u0007")).toBe("\\u001b]0;owned\\u0007");
  expect(harmless("\u001b[2J\u001b[1;1Hgone")).toBe("\\u001b[2J\\u001b[1;1Hgone");
  expect(harmless("a\rb\u0008c\u009b2Jd\u202e")).toBe("a\\rb\\u0008c\\u009b2Jd\\u202e");
  expect(harmless("\u001b\u001b[0m]0;x\u0007")).not.toContain("\u001b");
});

test("bytes become lines wherever they are cut, and a line without an end is cut", () => {
  const lines: string[] = [];
  const into = new Lines((line) => lines.push(line));
  for (const byte of Buffer.from("één\nzwei\n\ndrei")) into.add(Buffer.from([byte]));
  into.end();
  expect(lines).toEqual(["één", "zwei", "", "drei"]);
  into.add(Buffer.alloc(200_000, "x"));
  expect(lines.slice(4).map((line) => line.length)).toEqual([65536, 65536, 65536]);
});

test("the last lines are those before the last line's end", () => {
  expect(lastLines("a\nb\nc\n", 2)).toEqual(["b", "c"]);
  expect(lastLines("a\nb", 5)).toEqual(["a", "b"]);
  expect([lastLines("", 5), lastLines("a\n", 0)]).toEqual([[], []]);
});
