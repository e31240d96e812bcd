import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { catalogue } from "../../cli/catalogue.ts";
import { examplesOf } from "../../cli/definition.ts";
import { manualPage, releaseDate } from "../../cli/manual/page.ts";
import { escaped, prose } from "../../cli/manual/roff.ts";
import { definition } from "../../cli/program.ts";

const ABOUT = { version: "1.2.3", date: "2026-11-21" };

describe("the manual page", () => {
  let source: string;
  let plain: string;
  beforeAll(async () => {
    source = await manualPage(ABOUT);
    // One long line for each paragraph.
    const { stdout } = await execa("mandoc", ["-T", "utf8", "-O", "width=1000"], { input: source });
    // Bold and underlined, as a printing terminal does it.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what mandoc writes
    plain = stdout.replace(/.\u0008/g, "").replace(/\s+/g, " ");
  });

  test("is good to those who judge them", async () => {
    const lint = await execa("mandoc", ["-T", "lint"], { input: source, reject: false });
    expect(lint.stdout).toBe("");
    const groff = await execa("groff", ["-mandoc", "-ww", "-z", "-Tutf8"], { input: source });
    expect(groff.stderr).toBe("");
  });

  test("has version and date, and is the same whenever it is made", async () => {
    expect(source).toContain('.TH "REPOMAN" "1" "2026-11-21" "repoman 1.2.3"');
    expect(await manualPage(ABOUT)).toBe(source);
  });

  test("has its sections", () => {
    const sections = source.match(/^\.SH .*$/gm)?.map((line) => line.slice(5, -1));
    expect(sections).toEqual([
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      "COMMANDS",
      "FILES",
      "ENVIRONMENT",
      "EXIT STATUS",
      "EXAMPLES",
      "SEE ALSO",
    ]);
  });

  test("has every command, option and example, and nothing that is hidden", async () => {
    // Typographic quotes stay what was typed.
    const has = (text: string) =>
      expect(plain).toContain(text.replaceAll("`", "").replace(/\s+/g, " "));
    for (const entry of catalogue) {
      if (entry.hidden) {
        expect(plain).not.toContain(`repoman ${entry.name}`);
        continue;
      }
      const top = await definition(entry);
      has(`${entry.name} ${entry.summary}`);
      for (const command of [top, ...top.commands]) {
        has(command.description().slice(1));
        for (const { flags, description } of command.options) has(`${flags} ${description}`);
        for (const [line, does] of examplesOf(command)) {
          expect(plain).toContain(line);
          has(does);
        }
      }
    }
    has("goes to `pulumi up`, whose --help lists them");
  });
});

test.each([
  [".TH x", "\\&.TH x"],
  ["'br", "\\(aqbr"],
  ["a\\nb", "a\\(rsnb"],
  ["--x", "\\-\\-x"],
  ["a\n.b", "a .b"],
  ["…", "\\[u2026]"],
  ["😀", "\\[u1F600]"],
])("roff does not take %j for its own", async (text, wanted) => {
  expect(escaped(text)).toBe(wanted);
});

test("prose has one sentence a line, and no line that begins with a request", () => {
  expect(prose("In `.repoman.toml`. Then `up`.")).toBe(
    "In \\fB.repoman.toml\\fR.\nThen \\fBup\\fR.",
  );
  const long = prose(`${"word ".repeat(15)} .so evil ${"word ".repeat(20)}`);
  for (const line of long.split("\n")) {
    expect(line.length).toBeLessThan(80);
    expect(line).not.toMatch(/^[.']/);
  }
});

test.each([
  ["# Changes\n\n## 1.2.3 - 2026-11-20\n- x\n\n## 1.2.2 - 2026-10-01\n", "2026-11-20"],
  ["## [1.2.3] (2026-11-20)\n", "2026-11-20"],
  ["## Unreleased\n\n## 1.2.2 - 2026-10-01\n", "2026-10-01"],
  ["## 11.2.3 - 2026-11-20\n## 1.2.3 - 2026-01-01\n", "2026-01-01"],
  ["nothing of the kind 2020-01-01\n", ""],
])("the date of version 1.2.3 in %j is %j", (changelog, date) => {
  expect(releaseDate(changelog, "1.2.3")).toBe(date);
});
