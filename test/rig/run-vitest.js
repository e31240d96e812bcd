// Run in the private machine by tools/test.js: all tests, and at the end a line that counts them.
// What vitest writes for it goes with the machine, however that ends.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../../host/fault.js";
import { follow } from "../../tools/child.js";
import { asCommand, isMain } from "../../tools/setup.js";
import { ROOT } from "../../tools/toolchain.js";
import { rigFolder } from "./place.ts";

/** More than these are no accident. */
const MOST_AGAIN = 3;

/** @param {string[]} args for vitest */
async function main(args) {
  const first = await vitest(args, "results.json");
  let { results } = first;
  // A test is tried twice (vitest.config.ts), but not what comes before it in its file: daemons,
  // images, an estate. So a file is as well, in a run of everything.
  const again = args.length === 0 ? failedFiles(results) : [];
  if (results && again.length > 0 && again.length <= MOST_AGAIN) {
    process.stdout.write(`Tried once more: ${again.join(", ")}\n`);
    results = replaced(results, (await vitest(again, "again.json")).results);
  }
  const counts = countResults(results);
  process.stdout.write(`${summaryLine(counts)}\n`);
  if (counts.failed > 0) return first.code || EXIT.failed;
  // Without a single test something is wrong, whatever the runner says.
  if (counts.passed === 0) return EXIT.failed;
  return again.length > 0 ? EXIT.ok : first.code;
}

/**
 * @param {string[]} args
 * @param {string} name of the file for its results
 */
async function vitest(args, name) {
  const file = join(rigFolder(), name);
  const program = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--configLoader=native"];
  // A reporter of the caller's own comes besides.
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  // Half of what a short command takes is compiling itself; users have a cache as well.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(rigFolder(), "compile-cache") };
  const code = await follow(process.execPath, [...program, ...reporters, ...args], { env });
  return { code, results: readResults(file) };
}

/**
 * @param {Results | undefined} results
 * @returns {string[]} the paths of files that could not be loaded, or in which something failed
 */
export function failedFiles(results) {
  return (results?.testResults ?? []).flatMap(({ name, status }) =>
    status === "failed" ? [name] : [],
  );
}

/**
 * @param {Results} results
 * @param {Results | undefined} again of files that were tried once more; one that is missing here
 *   has failed again
 * @returns {Results}
 */
export function replaced(results, again) {
  const second = new Map((again?.testResults ?? []).map((one) => [one.name, one]));
  return { testResults: results.testResults.map((one) => second.get(one.name) ?? one) };
}

/**
 * @typedef {{ name: string, status: string, assertionResults: { status: string }[] }} FileResult
 * @typedef {{ testResults: FileResult[] }} Results
 * @param {string} file
 * @returns {Results | undefined} undefined where the run did not get that far
 */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * @param {Results | undefined} results what vitest's JSON reporter wrote
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
