// Command lines as documents show them. They are kept simple: words, quotes, pipes, and one
// substitution; what does not fit is an error, so that it is written more simply.

/** A simple command: its words. */
export type Words = string[];

/**
 * The simple commands of a line: those of a pipe, and that of a `$(…)`.
 *
 * @throws Error for anything else of a shell's
 */
export function simpleCommands(line: string): Words[] {
  const commands: Words[] = [];
  let words: Words = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (words.length === 0) throw new Error(`an empty command in: ${line}`);
    commands.push(words);
    words = [];
  };
  const take = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(line);
  };
  for (let at = 0; at < line.length; ) {
    const single = take(/'([^']*)'/y, at);
    const double = take(/"((?:[^"\\$`]|\\.|\$\([^()]*\))*)"/y, at);
    const plain = take(/[^\s'"|&;<>()$`\\#*?~[\]{}!]+|[~!#](?=\S)|\$[A-Z_]+/y, at);
    const space = take(/\s+/y, at);
    const pipe = take(/\|(?!\|)/y, at);
    const aside = take(/2?>\/dev\/null/y, at);
    const found = space ?? pipe ?? aside ?? single ?? double ?? plain;
    if (!found) throw new Error(`too much of a shell at "${line.slice(at)}" in: ${line}`);
    if (space) endWord();
    else if (pipe) endCommand();
    else if (!aside) {
      const text = single?.[1] ?? double?.[1] ?? found[0];
      for (const inner of double ? text.matchAll(/\$\(([^()]*)\)/g) : []) {
        commands.push(...simpleCommands(inner[1] ?? ""));
      }
      word = (word ?? "") + text;
    }
    at += found[0].length;
  }
  endCommand();
  return commands;
}

/** The arguments of repoman where the command is repoman's. */
export function repomanArguments(words: Words): string[] | undefined {
  const rest = words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word)));
  const [program, ...args] = rest;
  return program === "repoman" || program === "bin/repoman" ? args : undefined;
}
