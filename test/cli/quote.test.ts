import { execaSync } from "execa";
import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { commandLine, quote } from "../../host/command-line.js";

const words = string({ unit: "binary", maxLength: 40 }).map((word) => word.replaceAll("\0", ""));

test("a shell reads a quoted word back as it was", () => {
  assert(
    property(words, (word) => {
      const { stdout } = execaSync("sh", ["-c", `printf %s ${quote(word)}`], {
        stripFinalNewline: false,
      });
      expect(stdout).toBe(word.toWellFormed());
    }),
    { numRuns: 50, examples: [["it's"], ["a\nb"], ["$(id)`id`"], ["-n"], [""]] },
  );
});

test("a command line quotes only what needs it", () => {
  expect(commandLine(["incus", "exec", "local:web", "--cwd", "/home/a b", "", "~/x"])).toBe(
    "incus exec local:web --cwd '/home/a b' '' '~/x'",
  );
});
