import { describe, expect, test } from "vitest";
import { displayWidth, fit, renderTable } from "../../cli/output/table.ts";

const COLUMNS = [
  { head: "NAME" },
  { head: "REPOSITORY", least: 10 },
  { head: "PROFILES", least: 8 },
];
const ROWS = [
  ["web", "~/src/github.com/example/a-long-name", "default, claude-share"],
  ["数据", "~/src/数据", "default"],
];

describe("a table", () => {
  test("is as wide as its text where the output is no terminal", () => {
    expect(renderTable(COLUMNS, ROWS, undefined)).toBe(
      [
        "NAME  REPOSITORY                            PROFILES",
        "web   ~/src/github.com/example/a-long-name  default, claude-share",
        "数据  ~/src/数据                            default",
      ].join("\n"),
    );
  });

  test.each([80, 60, 50, 40])("fits %i columns", (width) => {
    const lines = renderTable(COLUMNS, ROWS, width).split("\n");
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  test("cuts the widest column first, and none below its least", () => {
    expect(
      fit(
        [
          { natural: 4, least: 4 },
          { natural: 30, least: 10 },
          { natural: 20, least: 8 },
        ],
        40,
      ),
    ).toEqual([4, 16, 16]);
    expect(
      fit(
        [
          { natural: 4, least: 4 },
          { natural: 30, least: 10 },
        ],
        5,
      ),
    ).toEqual([4, 10]);
  });

  test("counts what a terminal shows: colours nothing, wide letters twice", () => {
    expect(displayWidth("\u001b[32mRunning\u001b[39m")).toBe(7);
    expect(displayWidth("数据")).toBe(4);
    expect(displayWidth("e\u0301")).toBe(1);
  });
});
