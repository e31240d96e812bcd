import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { hasFlag, splitArguments, VALUE_FLAGS } from "../../cli/pulumi/arguments.ts";
import { pulumiEnvironment } from "../../tools/pulumi-env.js";

describe("splitting names from Pulumi's flags", () => {
  test("a flag's value is not taken for a name", () => {
    expect(splitArguments(["alpha", "--parallel", "4", "--diff", "beta"], [])).toEqual({
      names: ["alpha", "beta"],
      flags: ["--parallel", "4", "--diff"],
    });
  });

  test("a value that is joined to its flag leaves the next word alone", () => {
    expect(splitArguments(["--parallel=4", "alpha", "-p4", "beta"], [])).toEqual({
      names: ["alpha", "beta"],
      flags: ["--parallel=4", "-p4"],
    });
  });

  test("what follows -- is not looked at", () => {
    expect(splitArguments(["alpha"], ["beta", "--new-flag", "value"])).toEqual({
      names: ["alpha"],
      flags: ["beta", "--new-flag", "value"],
    });
  });

  test("a name given twice counts once", () => {
    expect(splitArguments(["alpha", "alpha"], []).names).toEqual(["alpha"]);
  });

  test("a flag is found by any spelling, not inside another flag's value", () => {
    expect(hasFlag(["--json"], "--json", "-j")).toBe(true);
    expect(hasFlag(["-j"], "--json", "-j")).toBe(true);
    expect(hasFlag(["--json=true"], "--json", "-j")).toBe(true);
    expect(hasFlag(["--json=false"], "--json", "-j")).toBe(false);
    expect(hasFlag(["--message", "--json"], "--json", "-j")).toBe(false);
  });
});

describe("the flags that take a value", () => {
  test.each(["preview", "up", "destroy", "refresh"])("are those of pulumi %s", async (command) => {
    const toolchain = { REPOMAN_TOOLCHAIN: process.env.REPOMAN_RIG_TOOLCHAIN };
    const { PATH } = pulumiEnvironment({ env: { ...process.env, ...toolchain } });
    const { stdout } = await execa("pulumi", [command, "--help"], { env: { PATH } });
    // `-c, --config stringArray   Config to use …`; a value in brackets may only be joined by "=",
    // and a type that is not one is a word of the description in quotes.
    const flags = [
      ...stdout.matchAll(
        /^ {2,6}(?:(-\w), )?(--[\w-]+)(?: (string|strings|stringArray|int|int32|file:))? {2,}/gm,
      ),
    ];
    expect(flags.length).toBeGreaterThan(20);
    for (const [, short, long = "", type] of flags) {
      expect([long, VALUE_FLAGS.has(long)]).toEqual([long, type !== undefined]);
      if (short) expect([short, VALUE_FLAGS.has(short)]).toEqual([short, type !== undefined]);
    }
  });
});
