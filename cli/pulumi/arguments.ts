// `repoman up alpha --parallel 4` mixes names of projects with flags that are Pulumi's. To tell a
// flag's value from a name one has to know which flags take one.

/** Flags of `pulumi preview | up | destroy | refresh` that take their value as the next word. */
export const VALUE_FLAGS: ReadonlySet<string> = new Set([
  "--color",
  "--config",
  "--config-file",
  "--cwd",
  "--event-log",
  "--exclude",
  "--exec-agent",
  "--exec-kind",
  "--import-file",
  "--import-pending-creates",
  "--memprofilerate",
  "--message",
  "--otel-traces",
  "--output",
  "--override-env",
  "--parallel",
  "--plan",
  "--policy-pack",
  "--policy-pack-config",
  "--profiling",
  "--replace",
  "--save-plan",
  "--secrets-provider",
  "--stack",
  "--target",
  "--target-replace",
  "--tracing",
  "--verbose",
  "-C",
  "-c",
  "-m",
  "-p",
  "-s",
  "-t",
  "-v",
  "-x",
]);

export interface SplitArguments {
  /** Names of projects. */
  names: string[];
  /** Flags, with their values, as they were given. */
  flags: string[];
}

/**
 * Splits what a command was given beyond its own options.
 *
 * @param words the words before a `--`
 * @param verbatim the words after it, which are Pulumi's as they are
 */
export function splitArguments(
  words: readonly string[],
  verbatim: readonly string[],
): SplitArguments {
  const names: string[] = [];
  const flags: string[] = [];
  let valueNext = false;
  for (const word of words) {
    if (valueNext) {
      flags.push(word);
      valueNext = false;
    } else if (word.startsWith("-") && word !== "-") {
      flags.push(word);
      valueNext = VALUE_FLAGS.has(word);
    } else {
      names.push(word);
    }
  }
  return { names: [...new Set(names)], flags: [...flags, ...verbatim] };
}

/**
 * Whether a flag is among them; `--flag=false` counts as absent, and a word that is another
 * flag's value is none.
 */
export function hasFlag(flags: readonly string[], ...spellings: string[]): boolean {
  return flags.some((word, index) => {
    if (VALUE_FLAGS.has(flags[index - 1] ?? "")) return false;
    const [flag = "", value] = word.split("=", 2);
    return spellings.includes(flag) && value !== "false";
  });
}
