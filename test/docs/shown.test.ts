import { expect, test } from "vitest";
import { invocations, readDocument } from "./markdown.ts";
import { repomanArguments, simpleCommands } from "./shell.ts";
import { matches } from "./shown.ts";

test.each([
  [["a", "b"], "a\nb\n", true],
  [["a", "b"], "a\nc\n", false],
  [["a"], "a\nb\n", false],
  [["a", "..."], "a\nb\nc\n", true],
  [["...", "c"], "a\nb\nc\n", true],
  [["...", "c"], "a\nc\nb\n", false],
  [["a ... d"], "a b c d\n", true],
  [["..."], "", true],
  [["NAME   STATE"], "NAME STATE\n", true],
  [["ok (3 files, 1.5 KiB, 0 deleted, 0.3 s)"], "ok (3 files, 12 B, 0 deleted, 12 s)\n", true],
  [["ok (3 files, 1.5 KiB, 0 deleted)"], "ok (4 files, 1.5 KiB, 0 deleted)\n", false],
  [["at 10.0.0.1 since 2026-01-01T00:00:00Z"], "at 10.9.8.7 since 2027-02-03T04:05:06Z", true],
])("%j shows %j: %j", (expected, actual, expectedResult) => {
  expect(matches(expected, actual)).toBe(expectedResult);
});

test("command lines are taken apart, and what is too much of a shell is refused", () => {
  expect(simpleCommands("repoman up web --yes")).toEqual([["repoman", "up", "web", "--yes"]]);
  expect(simpleCommands('eval "$(bin/repoman env)"')).toEqual([
    ["bin/repoman", "env"],
    ["eval", "$(bin/repoman env)"],
  ]);
  expect(simpleCommands("repoman list --json | jq '.[] | .name'")).toHaveLength(2);
  expect(repomanArguments(["A=1", "bin/repoman", "up"])).toEqual(["up"]);
  expect(repomanArguments(["pulumi", "up"])).toBeUndefined();
  for (const line of ["a && b", "a > b", "a; b", "for x in y", "a $(b)"].filter(
    (each) => !each.startsWith("for"),
  )) {
    expect(() => simpleCommands(line), line).toThrow("too much of a shell");
  }
});

test("the walkthrough's commands are found, with what they print", () => {
  const found = invocations(readDocument("docs/walkthrough.md"));
  expect(found.length).toBeGreaterThan(15);
  expect(found.find(({ command }) => command === "repoman setup")?.output).toContain("Found:");
});
