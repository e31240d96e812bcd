import { expect, test } from "vitest";
import { parentsBelowHome } from "../../providers/container/parents.ts";

test("the directories between the home and a mount are the user's", () => {
  expect(
    parentsBelowHome("/home/dev", ["/home/dev/repos/work/alpha", "/srv/x", "/home/dev/.npm"]),
  ).toEqual(["/home/dev/repos", "/home/dev/repos/work"]);
});
