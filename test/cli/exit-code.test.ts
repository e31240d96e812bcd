import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../../cli/pulumi/exit-code.ts";
import { freshReport, type ReportLine, readReport } from "../../cli/pulumi/report.ts";

const ended = (code: number) => ({ code, signal: null });
const error = (exitCode?: number): ReportLine => ({
  level: "error",
  message: "",
  ...(exitCode === undefined ? {} : { exitCode }),
});

describe("the exit code", () => {
  test.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [6, 3],
    [7, 1],
    [8, 1],
    [255, 1],
  ])("of Pulumi's %i alone is %i", (pulumi, expected) => {
    expect(exitCodeOf(ended(pulumi), [])).toBe(expected);
  });

  test("is the reported one where Pulumi only says that it failed", () => {
    expect(exitCodeOf(ended(1), [error(4)])).toBe(4);
    expect(exitCodeOf(ended(255), [error()])).toBe(1);
  });

  test("is that of the gravest of several", () => {
    expect(exitCodeOf(ended(1), [error(1), error(4)])).toBe(4);
    expect(exitCodeOf(ended(1), [error(4), error(3), error(1)])).toBe(3);
  });

  test("tells of a failure that Pulumi passed over", () => {
    expect(exitCodeOf(ended(0), [{ level: "warning", exitCode: 1, message: "moved away" }])).toBe(
      1,
    );
  });

  test("counts trouble with a project only when asked whether all is as declared, and of it", () => {
    const trouble: ReportLine = { level: "warning", project: "beta", message: "moved away" };
    const judged = (...names: string[]) =>
      exitCodeOf(ended(0), [trouble], { judging: true, names });
    expect(exitCodeOf(ended(0), [trouble])).toBe(0);
    expect(judged()).toBe(1);
    expect(judged("alpha", "beta")).toBe(1);
    expect(judged("alpha")).toBe(0);
  });

  test("does not count a mere warning", () => {
    expect(exitCodeOf(ended(0), [{ level: "warning", message: "unknown ${VAR}" }])).toBe(0);
    expect(exitCodeOf(ended(7), [{ level: "warning", message: "unknown ${VAR}" }])).toBe(1);
  });

  test("of a run that was told to stop, or killed, is 1", () => {
    expect(exitCodeOf({ code: 0, signal: null, interrupted: "SIGINT" }, [])).toBe(1);
    expect(exitCodeOf({ code: null, signal: "SIGKILL" }, [])).toBe(1);
  });
});

test("reports of runs that were killed are swept away, those of living ones stay", async () => {
  const folder = await mkdtemp(join(tmpdir(), "report-"));
  try {
    for (const name of ["report-4194305.jsonl", "report-1.jsonl", "id"]) {
      await writeFile(join(folder, name), "");
    }
    expect(await freshReport(join(folder))).toBe(join(folder, `report-${process.pid}.jsonl`));
    expect((await readdir(folder)).sort()).toEqual(["id", "report-1.jsonl"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a report that is cut off, or absent, tells what it can", async () => {
  const folder = await mkdtemp(join(tmpdir(), "report-"));
  try {
    const file = join(folder, "report.jsonl");
    expect(await readReport(file)).toEqual([]);
    await writeFile(file, `${JSON.stringify(error(4))}\n[1]\n"x"\nnull\n{"level":"error","exi`);
    expect(await readReport(file)).toEqual([error(4)]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
