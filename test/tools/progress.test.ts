import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Progress } from "../../tools/progress.js";
import { record } from "./temp.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function during(progress: Progress, seconds: number, details: Record<number, string> = {}) {
  await progress.during("Pulumi", async () => {
    for (let second = 0; second < seconds; second++) {
      if (details[second]) progress.step(details[second] ?? "");
      await vi.advanceTimersByTimeAsync(1000);
    }
  });
}

describe("progress", () => {
  test("of what is quick says nothing", async () => {
    const stream = record({ isTTY: true });
    await during(new Progress({ env: {}, stream }), 1);
    expect(stream.text).toBe("");
  });

  test("in a log is a line when it takes long, one per thing that is done, and one at the end", async () => {
    const stream = record();
    const details = { 0: "asking", 3: "compiling, 1 packages", 7: "compiling, 90 packages" };
    await during(new Progress({ env: {}, stream }), 12, details);
    expect(stream.text.split("\n")).toEqual([
      "› Pulumi: asking …",
      "› Pulumi: compiling, 1 packages …",
      "✓ Pulumi (12 s)",
      "",
    ]);
  });

  test("in a log is told again after each minute", async () => {
    const stream = record();
    const counts = Array.from({ length: 150 }, (_, second) => [
      second,
      `compiling, ${second} packages`,
    ]);
    await during(new Progress({ env: {}, stream }), 150, Object.fromEntries(counts));
    expect(stream.text.match(/\d+(?= packages)/g)?.map(Number)).toEqual([
      expect.closeTo(2, -1),
      expect.closeTo(62, -1),
      expect.closeTo(122, -1),
    ]);
  });

  test("on a terminal is one line with the time, cut to the width, in colours", async () => {
    const stream = record({ isTTY: true, columns: 30 });
    await during(new Progress({ env: {}, stream }), 65, { 0: "a very long thing to do indeed" });
    const lines = stream.text.split("\r\u001b[K");
    expect(lines[1]).toBe("\u001b[36m›\u001b[0m Pulumi: a very long t … 2 s");
    expect(stream.text).toContain("\u001b[32m✓\u001b[0m Pulumi (1 min 5 s)\n");
  });

  test("has no colours with NO_COLOR", async () => {
    const stream = record({ isTTY: true });
    await during(new Progress({ env: { NO_COLOR: "1" }, stream }), 3);
    expect(stream.text).not.toContain("\u001b[3");
  });

  test("of what failed says so and passes the error on", async () => {
    const stream = record();
    const progress = new Progress({ env: {}, stream });
    const failing = progress.during("Pulumi", () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(stream.text).toBe("✗ Pulumi (0 s)\n");
  });
});
