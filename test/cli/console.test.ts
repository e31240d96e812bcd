import { expect, test } from "vitest";
import { added } from "../../cli/estate/console.ts";

test("what a console has beyond what was read is found, whatever its beginning has made way for", () => {
  expect(added("", "one\n")).toBe("one\n");
  expect(added("one\n", "one\ntwo\n")).toBe("two\n");
  const long = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join("");
  expect(added(long, `${long.slice(300)}new\n`)).toBe("new\n");
  expect(added(long.slice(300), `${long}new\n`)).toBe("new\n");
  expect(added("one\n", "started anew\n")).toBe("started anew\n");
});
