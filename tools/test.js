// `npm test`: sets up what is missing, then runs every test in a machine of its own (test/rig).
// What follows `--` goes to vitest: `npm test -- test/registry`. The last line counts.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT } from "../host/fault.js";
import { paths } from "../host/paths.js";
import { isAlive, parentOf, self } from "../test/rig/watch.js";
import { follow, isNewNode } from "./child.js";
import { prepareImage } from "./image/index.js";
import { Progress } from "./progress.js";
import { askForRoot } from "./root.js";
import { asCommand, isMain, setUp } from "./setup.js";
import { testStep } from "./test-step.js";
import { ROOT } from "./toolchain.js";

/** @param {string[]} args @param {NodeJS.ProcessEnv} env */
export async function main(args, env) {
  const { node } = await setUp({ env, steps: [testStep] });
  if (!isNewNode()) {
    endWithNpm();
    return follow(node, [fileURLToPath(import.meta.url), ...args], { env });
  }
  const progress = new Progress({ env });
  // There is no network where the tests run.
  await progress.during("Image of a system for the tests", () =>
    prepareImage({ paths: paths(env), progress }),
  );
  askForRoot("A machine of its own for the tests", progress);
  const { enterNamespace } = await import("../test/rig/enter.js");
  const folder = mkdtempSync(join(tmpdir(), "repoman-results-"));
  try {
    const results = join(folder, "results.json");
    const vitest = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--configLoader=native"];
    // A reporter of the caller's own comes besides.
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
    const code = await enterNamespace([node, ...vitest, ...reporters, ...args], {
      env,
      cwd: ROOT,
      write: [folder],
    });
    const counts = countResults(readResults(results));
    process.stdout.write(`${summaryLine(counts)}\n`);
    // Without a single test something is wrong, whatever the runner says.
    if (code === 0 && (counts.failed > 0 || counts.passed === 0)) return EXIT.failed;
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * npm does not tell its script when it is killed. The rig looks whether the processes above it
 * live, and sees this one; so this one must not outlive npm.
 */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = parentOf(self());
  const npm = parent && /^(sh|dash|bash)$/.test(parent.name) ? parentOf(parent) : undefined;
  const above = [parent, npm].filter((one) => one !== undefined);
  setInterval(() => {
    if (!above.every(isAlive)) process.exit(EXIT.failed);
  }, 200).unref();
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

if (isMain(import.meta.url)) await asCommand(() => main(process.argv.slice(2), process.env));
