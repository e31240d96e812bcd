import fc from "fast-check";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { Bars, layOut, type Scene } from "../../cli/output/bars.ts";
import { displayWidth } from "../../cli/output/table.ts";
import { printable } from "../../registry/text.ts";

const PLAIN = pc.createColors(false);
const MB = 1 << 20;

const scene = (more: Partial<Scene> = {}): Scene => ({
  running: [
    ["website", { phase: "copying", bytes: 512 * MB, totalBytes: 1024 * MB, rate: 64 * MB }],
    ["a", { phase: "checking" }],
    ["first", { phase: "copying", bytes: 3 * MB, rate: MB }],
  ],
  done: 2,
  count: 5,
  doneBytes: 10 * MB,
  ...more,
});

describe("what is at work", () => {
  test("is a line for each, with a bar where the whole is known, and one for all", () => {
    const lines = layOut(scene(), { columns: 80, rows: 24 }, PLAIN);
    expect(lines).toEqual([
      "website  ━━━━━━━━━━━━━━━   50 %  512.0 MiB  of 1.0 GiB  64.0 MiB/s  0:08 left",
      "a        checking",
      "first    3.0 MiB  1.0 MiB/s",
      "2 of 5 done · 525.0 MiB · 65.0 MiB/s",
    ]);
  });

  test("is never wider or higher than the terminal, whatever it is called", () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom("日本語のなまえ".repeat(9), "\u001b[31mred", "x".repeat(300)),
    );
    const number = fc.option(fc.nat(2 ** 45), { nil: undefined });
    const point = fc.record({
      phase: fc.constant("copying"),
      bytes: number,
      totalBytes: number,
      rate: number,
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, point), { maxLength: 40 }),
        fc.integer({ min: 21, max: 300 }),
        fc.integer({ min: 4, max: 60 }),
        (running, columns, rows) => {
          const lines = layOut(
            { running, done: 1, count: 60, doneBytes: 0 },
            { columns, rows },
            PLAIN,
          );
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) {
            expect(displayWidth(line)).toBeLessThan(columns);
            expect(line).toBe(printable(line));
          }
        },
      ),
    );
  });

  test("says how long all of it takes only when all of it is known", () => {
    const point = { bytes: MB, totalBytes: 3 * MB, rate: MB };
    const last = (done: number) =>
      layOut(
        {
          running: [
            ["a", point],
            ["b", point],
          ],
          done,
          count: 5,
          doneBytes: 0,
        },
        { columns: 80, rows: 24 },
        PLAIN,
      ).at(-1);
    expect(last(1)).not.toContain("left");
    expect(last(3)).toContain("0:02 left");
  });

  test("is drawn in one write over what was drawn before, and goes without a trace", () => {
    const writes: string[] = [];
    const stream = {
      isTTY: true,
      columns: 60,
      rows: 20,
      write: (text: string) => writes.push(text),
    };
    const bars = new Bars(2, stream as unknown as NodeJS.WriteStream, { TERM: "xterm" });
    bars.set("a", { phase: "checking" });
    expect(writes).toHaveLength(1);
    const [, first = ""] = (writes[0] ?? "").split("\u001b[?2026h");
    expect(first.startsWith("\ra  checking\u001b[K\n")).toBe(true);
    expect(first.endsWith("\u001b[J\u001b[?2026l")).toBe(true);
    bars.end();
    expect(writes.at(-1)).toBe("\r\u001b[2A\u001b[J");
  });

  test("is not drawn elsewhere", () => {
    const writes: string[] = [];
    const stream = { isTTY: false, write: (text: string) => writes.push(text) };
    const bars = new Bars(2, stream as unknown as NodeJS.WriteStream, { TERM: "xterm" });
    bars.set("a", { phase: "checking" });
    bars.print("a: ok", stream as unknown as NodeJS.WriteStream);
    bars.end();
    expect(writes).toEqual(["a: ok\n"]);
  });
});
