// What the definition of a command has beside its arguments and options. Commands import this;
// `program.ts`, which finds and runs them, imports the commands.

import type { Command } from "commander";

/** An invocation and what it does, as `--help` shows it. */
export type Example = readonly [command: string, does: string];

const examples = new WeakMap<Command, readonly Example[]>();
const remarks = new WeakMap<Command, readonly string[]>();
const verbatim = new WeakMap<Command, readonly string[]>();

/**
 * Adds examples to the help of a command. They are also kept for whatever else is made from the
 * definitions (`examplesOf`).
 */
export function addExamples(command: Command, list: readonly Example[]): void {
  examples.set(command, list);
  const width = Math.max(...list.map(([line]) => line.length));
  const lines = list.map(([line, does]) => `  ${line.padEnd(width)}  # ${does}`);
  command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

export function examplesOf(command: Command): readonly Example[] {
  return examples.get(command) ?? [];
}

/** Adds a paragraph below the options, to the help and to what else is made from the definitions. */
export function addRemark(command: Command, text: string): void {
  remarks.set(command, [...remarksOf(command), text]);
  command.addHelpText("after", `\n${text}`);
}

export function remarksOf(command: Command): readonly string[] {
  return remarks.get(command) ?? [];
}

/** Keeps the words after `--` of an invocation for the command's action. */
export function keepVerbatim(command: Command, words: readonly string[]): void {
  verbatim.set(command, words);
}

/** The words after `--`, which are another program's and not looked at. */
export function verbatimWords(command: Command): readonly string[] {
  return verbatim.get(command) ?? [];
}
