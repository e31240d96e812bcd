// Run in the private machine by tools/test.js: all tests, and at the end a line that counts them.
// What vitest writes for it goes with the machine, however that ends.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../../host/fault.js";
import { follow } from "../../tools/child.js";
import { asCommand, isMain } from "../../tools/setup.js";
import { ROOT } from "../../tools/toolchain.js";
import { rigFolder } from "./place.ts";

/** @param {string[]} args for vitest */
async function main(args) {
  const results = join(rigFolder(), "results.json");
  const vitest = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--configLoader=native"];
  // A reporter of the caller's own comes besides.
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
  // Half of what a short command takes is compiling itself; users have a cache as well.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(rigFolder(), "compile-cache") };
  const code = await follow(process.execPath, [...vitest, ...reporters, ...args], { env });
  const counts = countResults(readResults(results));
  process.stdout.write(`${summaryLine(counts)}\n`);
  // Without a single test something is wrong, whatever the runner says.
  if (code === 0 && (counts.failed > 0 || counts.passed === 0)) return EXIT.failed;
  return code;
}

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult
 * @param {string} file
 * @returns {{ testResults: FileResult[] } | undefined} undefined where the run did not get that far
 */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * @param {{ testResults: FileResult[] } | undefined} results what vitest's JSON reporter wrote
 */
export function countResults(results) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  // Cut off, or never begun: that is one failure at least.
  if (!results) return { ...counts, failed: 1 };
  for (const { status, assertionResults } of results.testResults) {
    let failed = 0;
    for (const test of assertionResults) {
      if (test.status === "passed") counts.passed++;
      else if (test.status === "failed") failed++;
      else counts.skipped++;
    }
    // A file that could not be loaded, or whose set-up failed, has no test to show for it.
    counts.failed += failed === 0 && status === "failed" ? 1 : failed;
  }
  return counts;
}

/** @param {{ passed: number, failed: number, skipped: number }} counts */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

if (isMain(import.meta.url)) await asCommand(() => main(process.argv.slice(2)));
