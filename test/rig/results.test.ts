import { expect, test } from "vitest";
import { countResults, summaryLine } from "./run-vitest.js";

const file = (status: string, ...tests: string[]) => ({
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
