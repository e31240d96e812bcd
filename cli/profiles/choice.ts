// `repoman:profiles` in a stack's config: how it changes with what is installed and removed. Pure.

import { parseChoice } from "../../registry/profile-choice.ts";

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
