import { expect, test } from "vitest";
import { countResults, failedFiles, replaced, summaryLine } from "./run-vitest.js";

let number = 0;
const file = (status: string, ...tests: string[]) => ({
  name: `/test/${number++}`,
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});

test("tests are counted over all files", () => {
  const counts = countResults({
    testResults: [file("passed", "passed", "pending"), file("failed", "passed", "failed")],
  });
  expect(summaryLine(counts)).toBe("2 passed, 1 failed, 1 skipped");
});

test("a file that could not be loaded is a failure", () => {
  const counts = countResults({ testResults: [file("passed", "passed"), file("failed")] });
  expect(summaryLine(counts)).toBe("1 passed, 1 failed");
});

test("a run without results is a failure", () => {
  expect(summaryLine(countResults(undefined))).toBe("0 passed, 1 failed");
});

test("files that failed are tried once more, and count by that", () => {
  const first = {
    testResults: [file("passed", "passed"), file("failed"), file("failed", "failed")],
  };
  const [, mended = "", broken = ""] = first.testResults.map(({ name }) => name);
  expect(failedFiles(first)).toEqual([mended, broken]);
  const again = { testResults: [{ ...file("passed", "passed", "passed"), name: mended }] };
  expect(summaryLine(countResults(replaced(first, again)))).toBe("3 passed, 1 failed");
  expect(summaryLine(countResults(replaced(first, undefined)))).toBe("1 passed, 2 failed");
});
