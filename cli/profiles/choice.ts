// `repoman:profiles` in a stack's config: which profiles are managed beside those that projects
// refer to. Pure.

export type Choice = "referenced" | "all" | readonly string[];

/** As the program reads it: a word, a JSON list, or names with commas between. */
export function parseChoice(text: string | undefined): Choice {
  const word = text?.trim() || "referenced";
  if (word === "referenced" || word === "all") return word;
  try {
    const list: unknown = JSON.parse(word);
    if (Array.isArray(list) && list.every((each) => typeof each === "string")) return list;
  } catch {
    // Not JSON: names with commas between.
  }
  return word.split(",").map((name) => name.trim());
}

/** @returns the new value; nothing where these are managed already */
export function withProfiles(
  text: string | undefined,
  names: readonly string[],
): string | undefined {
  const choice = parseChoice(text);
  if (choice === "all") return undefined;
  const before = choice === "referenced" ? [] : choice;
  const after = [...new Set([...before, ...names])].sort();
  return after.length === new Set(before).size ? undefined : JSON.stringify(after);
}

/** @returns the new value; nothing where it was not named */
export function withoutProfile(text: string | undefined, name: string): string | undefined {
  const choice = parseChoice(text);
  if (choice === "all" || choice === "referenced" || !choice.includes(name)) return undefined;
  const after = choice.filter((each) => each !== name);
  return after.length === 0 ? "referenced" : JSON.stringify(after);
}
