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
  write({ level: "error", exitCode, name, message });
}

/**
 * Tells of trouble with one project that keeps it from what the registry says. A preview plans
 * nothing for it and only warns; whether that counts as a failure is for who asked.
 *
 * @param {string} project
 * @param {string} message
 */
export function reportTrouble(project, message) {
  write({ level: "warning", name: `project ${project}`, project, message });
}

/** @param {object} line */
function write(line) {
  const file = process.env.REPOMAN_REPORT;
  if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
}
