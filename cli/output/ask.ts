// Questions. They go to stderr, as everything does that is not a result, and are asked only where
// somebody can answer.

import { EXIT, Fault } from "../../host/fault.js";
import { note } from "./say.ts";

/** Whether there is a terminal to ask at. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

let changed = false;

/** Says that this run has changed something, so that what comes next does not deny it. */
export function markChanged(): void {
  changed = true;
}

/** Ctrl-C at a question. */
export class Cancelled extends Fault {
  constructor() {
    super(changed ? "stopped; what was done before stays" : "stopped; nothing was changed");
    this.name = "Cancelled";
  }
}

/** A question was answered with no: what was asked for was not done. */
export function declined(): void {
  note("Nothing was changed.");
  process.exitCode = EXIT.failed;
}

export interface Consent {
  /** `--yes` */
  yes?: boolean | undefined;
  /** What the command would do, for the message where nobody can be asked: "removes …". */
  would: string;
  /** The answer that Enter gives; no unless said. */
  initial?: boolean;
}

/**
 * Asks whether to go on.
 *
 * @returns the answer; true with `--yes`
 * @throws Fault (usage) without a terminal and `--yes`
 * @throws Cancelled
 */
export async function consent(
  question: string,
  { yes, would, initial = false }: Consent,
): Promise<boolean> {
  if (yes) return true;
  if (!canAsk()) {
    throw new Fault(`this ${would}, and there is no terminal to ask at`, {
      remedy: "Add --yes to do it without a question.",
      exitCode: EXIT.usage,
    });
  }
  return ask<boolean>(({ confirm }, io) =>
    confirm({ message: question, initialValue: initial, ...io }),
  );
}

type Prompts = typeof import("@clack/prompts");
interface Streams {
  output: NodeJS.WriteStream;
}

/**
 * Asks with one of the prompts of `@clack/prompts`, which are loaded only for it. Whoever calls
 * this has seen to it that there is a terminal (`canAsk`).
 *
 * @throws Cancelled
 */
export async function ask<T>(
  prompt: (prompts: Prompts, io: Streams) => Promise<T | symbol>,
): Promise<T> {
  const prompts = await import("@clack/prompts");
  const answer = await prompt(prompts, { output: process.stderr });
  if (prompts.isCancel(answer)) throw new Cancelled();
  return answer as T;
}
