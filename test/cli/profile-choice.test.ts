import { expect, test } from "vitest";
import { withoutProfile, withProfiles } from "../../cli/profiles/choice.ts";
import { parseChoice } from "../../registry/profile-choice.ts";

test.each([
  [undefined, "referenced"],
  ["", "referenced"],
  ["all", "all"],
  ['["a","b"]', ["a", "b"]],
  ["a, b", ["a", "b"]],
])("repoman:profiles %j means %j", (text, meaning) => {
  expect(parseChoice(text)).toEqual(meaning);
});

test("a profile that is installed is named beside the others, once", () => {
  expect(withProfiles(undefined, ["b", "a"])).toBe('["a","b"]');
  expect(withProfiles("referenced", ["a"])).toBe('["a"]');
  expect(withProfiles("c,a", ["b"])).toBe('["a","b","c"]');
  expect(withProfiles('["a"]', ["a"])).toBeUndefined();
  expect(withProfiles("all", ["a"])).toBeUndefined();
});

test("one that is removed is not named any more, and the rest stays", () => {
  expect(withoutProfile('["a","b"]', "a")).toBe('["b"]');
  expect(withoutProfile('["a"]', "a")).toBe("referenced");
  expect(withoutProfile("b", "a")).toBeUndefined();
  expect(withoutProfile(undefined, "a")).toBeUndefined();
  expect(withoutProfile("all", "a")).toBeUndefined();
});
