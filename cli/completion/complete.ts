// What can stand where the cursor is, found from the same definitions as `--help`. Pure but for
// what is passed in.

import type { Argument, Command, Option } from "commander";
import type { Entry } from "../catalogue.ts";
import { isRepeatable } from "../definition.ts";
import { VALUE_FLAGS } from "../pulumi/arguments.ts";
import { type Kind, kindOfArgument, kindOfOption } from "./kinds.ts";

export interface Candidate {
  /** The whole word, `--stack=demo` where that was begun. */
  value: string;
  /** One line; may be empty. */
  summary: string;
}

export interface Answer {
  /** `files` and `directories` are for the shell, which knows best how to complete those. */
  take: "words" | "files" | "directories";
  candidates: Candidate[];
}

/** What on the line tells where values are to be looked up. */
export interface Given {
  stack?: string;
  registry?: string;
}

export interface Source {
  catalogue: readonly Entry[];
  /** The overview, for its own options. */
  overview(): Command;
  definition(entry: Entry): Promise<Command>;
  values(kind: Kind, given: Given): Promise<Candidate[]>;
}

const NOTHING: Answer = { take: "words", candidates: [] };
const words = (candidates: Candidate[]): Answer => ({ take: "words", candidates });

/**
 * @param line the words after the program's name, the last of them the one at the cursor, perhaps
 *   empty
 * @returns everything that fits in the place; what of it begins as the word does, is the shell's to
 *   choose
 */
export async function complete(line: readonly string[], source: Source): Promise<Answer> {
  const [first = "", ...rest] = line;
  const commands = source.catalogue
    .filter(({ hidden }) => !hidden)
    .map(({ name, summary }) => ({ value: name, summary }));
  if (rest.length === 0) {
    if (first.startsWith("-")) return words(optionsOf(source.overview(), new Set()));
    return words([...commands, { value: "help", summary: "show the help of a command" }]);
  }
  if (first === "help") return rest.length === 1 ? words(commands) : NOTHING;
  const entry = source.catalogue.find(({ name, hidden }) => name === first && !hidden);
  if (!entry) return NOTHING;
  return completeIn(await source.definition(entry), rest, source);
}

/** Where reading the words before the cursor has led to. */
interface Reached {
  command: Command;
  /** Arguments that are there. */
  args: string[];
  /** Attributes of the options that are there. */
  used: Set<string>;
  given: Given;
  /** What the next word is the value of. */
  waiting: Option | "foreign" | undefined;
}

async function completeIn(top: Command, line: readonly string[], source: Source): Promise<Answer> {
  const reached = read(top, line.slice(0, -1));
  if (!reached) return NOTHING;
  const { command, args, used, given, waiting } = reached;
  const current = line.at(-1) ?? "";
  const offer = async (kind: Kind, choices: readonly string[] | undefined, prefix = "") => {
    if (choices) return words(choices.map((each) => ({ value: prefix + each, summary: "" })));
    if (kind === "directory") return { take: "directories" as const, candidates: [] };
    if (kind === "file") return { take: "files" as const, candidates: [] };
    // Where it begins as a path does, it is one: `new --repo ./web`.
    if (kind === "repository" && /^[./~]/.test(current.slice(prefix.length))) {
      return { take: "directories" as const, candidates: [] };
    }
    const found = await source.values(kind, given);
    return words(found.map((each) => ({ ...each, value: prefix + each.value })));
  };
  if (waiting === "foreign") return NOTHING;
  if (waiting) return offer(kindOfOption(command, waiting), waiting.argChoices);
  const [, long] = /^(--[^=]+)=/.exec(current) ?? [];
  if (long !== undefined) {
    const option = find(command, long);
    if (!option || option.isBoolean()) return NOTHING;
    return offer(kindOfOption(command, option), option.argChoices, `${long}=`);
  }
  if (current.startsWith("-")) return words(optionsOf(command, used));
  if (command.commands.length > 0) {
    return words(
      command.commands.map((each) => ({ value: each.name(), summary: gist(each.description()) })),
    );
  }
  const argument = argumentAt(command, args.length);
  if (!argument) return current === "" ? words(optionsOf(command, used)) : NOTHING;
  const answer = await offer(kindOfArgument(command, argument), argument.argChoices);
  const left = answer.candidates.filter(({ value }) => !args.includes(value));
  return { ...answer, candidates: left };
}

/** @returns undefined where what follows is another program's, or nobody's */
function read(top: Command, line: readonly string[]): Reached | undefined {
  const reached: Reached = {
    command: top,
    args: [],
    used: new Set(),
    given: {},
    waiting: undefined,
  };
  for (const word of line) {
    const { command, waiting, args } = reached;
    if (waiting) {
      if (waiting !== "foreign") keep(reached, waiting, word);
      reached.waiting = undefined;
    } else if (word === "--") {
      return undefined;
    } else if (word.startsWith("-") && word !== "-") {
      readOption(reached, word);
    } else if (command.commands.length > 0) {
      const sub = command.commands.find((each) => each.name() === word);
      if (!sub) return undefined;
      reached.command = sub;
    } else {
      args.push(word);
    }
  }
  return reached;
}

function readOption(reached: Reached, word: string): void {
  const { command, used } = reached;
  if (word.startsWith("--")) {
    const [long = "", value] = splitOnce(word, "=");
    const option = find(command, long);
    if (!option) {
      // Flags of Pulumi's, which may take a value of their own.
      if (VALUE_FLAGS.has(word)) reached.waiting = "foreign";
      return;
    }
    used.add(option.attributeName());
    if (option.required && value === undefined) reached.waiting = option;
    else if (value !== undefined) keep(reached, option, value);
    return;
  }
  // `-fn20`: short ones in a row, up to the first that takes the rest as its value.
  for (let index = 1; index < word.length; index += 1) {
    const option = find(command, `-${word[index]}`);
    if (!option) {
      if (VALUE_FLAGS.has(word)) reached.waiting = "foreign";
      return;
    }
    used.add(option.attributeName());
    if (!option.required) continue;
    const value = word.slice(index + 1);
    if (value === "") reached.waiting = option;
    else keep(reached, option, value);
    return;
  }
}

function keep({ given }: Reached, option: Option, value: string): void {
  if (option.long === "--stack") given.stack = value;
  if (option.long === "--registry") given.registry = value;
}

function find(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

function argumentAt({ registeredArguments }: Command, position: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[position] ?? (last?.variadic ? last : undefined);
}

/** Options that are not there yet, and those that may be there more than once. */
function optionsOf(command: Command, used: ReadonlySet<string>): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => !used.has(option.attributeName()) || isRepeatable(option))
    .map(({ long, short, description }) => ({
      value: long ?? short ?? "",
      summary: description,
    }));
}

/** The beginning of a description, as far as it says what the whole is about. */
function gist(description: string): string {
  return description.split(/[.;:](?:\s|$)/, 1)[0] ?? "";
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
