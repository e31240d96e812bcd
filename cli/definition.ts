// What the definition of a command has beside its arguments and options. Commands import this;
// `program.ts`, which finds and runs them, imports the commands.

import { type Command, Option } from "commander";
import { EXIT, Fault } from "../host/fault.js";

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

const known = new WeakSet<Option>();

/**
 * `--stack`, the same for every command that works on one.
 *
 * @param given.makes whether the command may be the first to work on the stack, or looks for itself; for
 *   all others a name that no stack has is refused as a mistyped one
 */
export function stackOption({ makes = false } = {}): Option {
  const option = new Option(
    "-s, --stack <name>",
    "the stack (default: $PULUMI_STACK, else this host's name)",
  );
  if (!makes) known.add(option);
  return option;
}

/** The stack that a command line names and that has to be there. */
export function stackToFind(command: Command): string | undefined {
  const option = command.options.find(({ long }) => long === "--stack");
  if (!option || !known.has(option)) return undefined;
  const typed = command.getOptionValueSource("stack") === "cli";
  return typed ? command.opts<{ stack?: string }>().stack : undefined;
}

/** `--yes`, for commands that ask. */
export function yesOption(does = "do not ask"): Option {
  return new Option("-y, --yes", does);
}

/** `--lines`, for commands that print the end of something long; read with `linesFrom`. */
export function linesOption(does: string, fallback?: string): Option {
  const option = new Option("-n, --lines <count>", does);
  return fallback === undefined ? option : option.default(fallback);
}

/** @throws Fault (usage) for what is no number of lines */
export function linesFrom(text: string): number {
  const lines = Number(text);
  if (text.trim() !== "" && Number.isInteger(lines) && lines >= 0) return lines;
  throw new Fault(`--lines ${JSON.stringify(text)} is not a number of lines`, {
    remedy: "Such as --lines 50.",
    exitCode: EXIT.usage,
  });
}

const repeatable = new WeakSet<Option>();

/** An option that may be there several times; its value is a list, or undefined. */
export function listOption(flags: string, does: string): Option {
  const option = new Option(flags, does).argParser(
    (value: string, before: string[] | undefined) => [...(before ?? []), value],
  );
  repeatable.add(option);
  return option;
}

export function isRepeatable(option: Option): boolean {
  return repeatable.has(option);
}
