// What repoman itself says goes to stderr: stdout belongs to results (`--json`, `env`).

import { formatWithOptions } from "node:util";
import pc from "picocolors";
import { EXIT, Fault } from "../../host/fault.js";
import { proseInOwnWords, remedyInOwnWords } from "../../host/own-words.js";

/** Colours for one stream, none where it is not a terminal or the user asked for none. */
export function colorsFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env) {
  const wanted = env.FORCE_COLOR
    ? env.FORCE_COLOR !== "0"
    : stream.isTTY === true && env.TERM !== "dumb";
  return pc.createColors(wanted && !env.NO_COLOR);
}

/** Says what repoman does, beside what Pulumi says. */
export function note(message: string): void {
  process.stderr.write(`${proseInOwnWords(message)}\n`);
}

export function warn(message: string): void {
  process.stderr.write(
    `${colorsFor(process.stderr).yellow("warning:")} ${proseInOwnWords(message)}\n`,
  );
}

/**
 * Prints an error: what is wrong and how to mend it. Only a bug shows its stack, and a Fault's
 * where `REPOMAN_DEBUG` is set.
 *
 * @returns the exit code
 */
export function reportError(error: unknown, env: NodeJS.ProcessEnv = process.env): number {
  const prefix = colorsFor(process.stderr).red("error:");
  if (error instanceof Fault) {
    process.stderr.write(`${prefix} ${remedyInOwnWords(error.message)}\n`);
    if (env.REPOMAN_DEBUG) process.stderr.write(`${inspect(error)}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `${prefix} repoman failed in a way that it does not foresee\n${inspect(error)}\n`,
  );
  return EXIT.failed;
}

function inspect(error: unknown): string {
  return formatWithOptions({ colors: false }, "%O", error);
}

/** A reader that went away (`repoman env | head -1`, a closed terminal) is no reason to crash. */
export function survivePipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    });
  }
}
