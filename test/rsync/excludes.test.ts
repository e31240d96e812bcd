import { describe, expect, test } from "vitest";
import { literalPattern, parseExcludes, rulesOf, WHOLE } from "../../rsync/excludes.ts";

describe("a .repoman-exclude", () => {
  test("is read as plain patterns, comments and blank lines left out", () => {
    expect(parseExcludes("# build\n\nnode_modules/\r\n- *.o\n; old\n/target\n")).toEqual({
      patterns: ["node_modules/", "*.o", "/target"],
      warnings: [],
    });
  });

  test.each([
    ["+ .git/", "includes"],
    ["!", "cleared"],
    ["! x", "cleared"],
    ["*", "whole"],
    ["/*", "whole"],
    ["**", "whole"],
    ["./", "whole"],
    ["a\0b", "NUL"],
    [`${"*a".repeat(20)}`, "wildcards"],
    ["x".repeat(2000), "longer"],
  ])("does not obey %j", (line, why) => {
    const { patterns, warnings } = parseExcludes(`keep\n${line}\n`);
    expect(patterns).toEqual(["keep"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(".repoman-exclude:2");
    expect(warnings[0]).toContain(why);
  });

  test("takes what looks like another rule as a name", () => {
    const lines = ["merge /etc/passwd", ". /etc/shadow", ": .rules", "P x", "-s foo", "R .git"];
    expect(parseExcludes(lines.join("\n")).patterns).toEqual(lines);
  });

  test("does not flood its reader with warnings or patterns", () => {
    expect(parseExcludes("!\n".repeat(500)).warnings).toHaveLength(5);
    expect(parseExcludes("a\n".repeat(5000)).patterns).toHaveLength(1000);
  });
});

describe("the rules of a run", () => {
  const rules = (own: string[], asked: string[]) =>
    rulesOf(own, asked, WHOLE).toString("latin1").split("\0").slice(0, -1);

  test("stop before .git, unless the registry names it", () => {
    expect(rules(["*.pack", ".git/lfs/"], ["objects/"])).toEqual([
      "- .git/lfs/",
      "+ .git/***",
      "- *.pack",
      "- objects/",
    ]);
  });

  test("carry names of any bytes", () => {
    expect(rulesOf(["ä"], ["\xff"], WHOLE)).toEqual(
      Buffer.concat([Buffer.from("+ .git/***\0- ä\0- "), Buffer.of(0xff, 0)]),
    );
  });

  test("escape a path only where rsync looks for wildcards", () => {
    expect(literalPattern("a\\b c")).toBe("a\\b c");
    expect(literalPattern("a\\b[1]*?")).toBe("a\\\\b\\[1]\\*\\?");
  });
});
