import { expect, test } from "vitest";
import { carriedOut, withFormerNames } from "../../survey/renames.ts";
import { project, registry, survey } from "../components/fixtures.ts";

const RENAMED = [{ from: "old", to: "new" }];

test("a renaming counts once the registry has the new name and no more the former one", () => {
  const count = (...names: string[]) =>
    carriedOut(RENAMED, registry(names.map((name) => project(name)))).size;
  expect(count("old")).toBe(0);
  expect(count("old", "new")).toBe(0);
  expect(count("other")).toBe(0);
  expect(count("new")).toBe(1);
});

test("the container of the former name is the project's: it is there and does not leave", () => {
  const found = { ...survey([project("new"), project("web")]), leaving: ["gone", "old"] };
  const { projects, leaving } = withFormerNames(found, new Map([["new", "old"]]));
  expect(projects.get("new")).toMatchObject({ exists: true, formerName: "old" });
  expect(projects.get("web")).toEqual(found.projects.get("web"));
  expect(leaving).toEqual(["gone"]);
});
