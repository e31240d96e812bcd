import { appendFileSync } from "node:fs";

/**
 * Tells the `repoman` that started Pulumi with which of its own exit codes a failure counts:
 * Pulumi has only one for all. A line of JSON in the file that REPOMAN_REPORT names; without it,
 * nobody asked.
 *
 * @param {number} exitCode one of `EXIT`
 * @param {string} name the object, such as `container alpha`
 * @param {string} message
 */
export function report(exitCode, name, message) {
  const file = process.env.REPOMAN_REPORT;
  if (file)
    appendFileSync(file, `${JSON.stringify({ level: "error", exitCode, name, message })}\n`);
}
