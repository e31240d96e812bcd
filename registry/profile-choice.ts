/** Which profiles are managed beside those that projects refer to: `repoman:profiles`. */
export type ProfileChoice = "referenced" | "all" | readonly string[];

/** As a stack's config has it: a word, a JSON list, or names with commas between. */
export function parseChoice(text: string | undefined): ProfileChoice {
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
