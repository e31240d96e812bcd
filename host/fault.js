/** Exit codes of the command line. */
export const EXIT = Object.freeze({ ok: 0, failed: 1, usage: 2, environment: 3, conflict: 4 });

/**
 * An error that a person can act on: what is wrong with which object, and how to mend it.
 * Every failure that repoman foresees is one of these; anything else is a bug and keeps its stack.
 */
export class Fault extends Error {
  /**
   * @param {string} what the object and what is wrong with it, one sentence without a full stop
   * @param {object} [options]
   * @param {string} [options.remedy] what to do, as an imperative sentence or a command
   * @param {number} [options.exitCode] one of `EXIT`; 1 unless said
   * @param {unknown} [options.cause]
   */
  constructor(what, { remedy, exitCode = EXIT.failed, cause } = {}) {
    super(remedy ? `${what}\n  ${remedy.replaceAll("\n", "\n  ")}` : what, { cause });
    this.name = "Fault";
    this.what = what;
    this.remedy = remedy;
    this.exitCode = exitCode;
  }
}

/**
 * The exit code that an error asks for, for one that is thrown in its place.
 *
 * @param {unknown} error
 * @returns {number} one of `EXIT`
 */
export function exitCodeOf(error) {
  return error instanceof Fault ? error.exitCode : EXIT.failed;
}
