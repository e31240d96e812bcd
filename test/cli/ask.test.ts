import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

test("Ctrl-C says that nothing was changed until something is", async () => {
  const { Cancelled, markChanged } = await import("../../cli/output/ask.ts");
  expect(new Cancelled().message).toBe("stopped; nothing was changed");
  markChanged();
  expect(new Cancelled()).toMatchObject({
    message: "stopped; what was done before stays",
    exitCode: 1,
  });
});

test("no is an answer by which nothing is done: 1", async () => {
  const { declined } = await import("../../cli/output/ask.ts");
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  declined();
  expect(process.exitCode).toBe(1);
  expect(said).toHaveBeenCalledWith("Nothing was changed.\n");
});
