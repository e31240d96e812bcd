import { createRequire } from "node:module";
import { afterEach, expect, test } from "vitest";
import { leaveOut } from "../lean.ts";

// As Pulumi's own modules have it.
const log = createRequire(import.meta.resolve("@pulumi/pulumi/package.json"))(
  "@pulumi/pulumi/log",
) as { debug: unknown; warn: unknown };
const { debug, warn } = log;
const { prepareStackTrace, stackTraceLimit } = Error;

afterEach(() => {
  log.debug = debug;
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
});

test("Pulumi's own modules lose their debug messages, and no others", () => {
  leaveOut({});
  expect(log.debug).not.toBe(debug);
  expect(log.warn).toBe(warn);
  expect(Error.prepareStackTrace).not.toBe(prepareStackTrace);
  expect(Error.stackTraceLimit).toBeLessThan(stackTraceLimit);
});

test("who looks for leaks in Pulumi keeps them", () => {
  leaveOut({ PULUMI_DEBUG_PROMISE_LEAKS: "1" });
  expect(log.debug).toBe(debug);
  expect(Error.prepareStackTrace).toBe(prepareStackTrace);
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
});
