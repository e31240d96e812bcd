import type { Rule } from "./rules.ts";

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const SHAPE = /^(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/;
// A century: longer is a slip of the keyboard, and would overflow somewhere.
const LONGEST = 100 * 365 * 86_400;

/**
 * @param value such as `24h`, `7d`, `90m` or `1d12h`
 * @returns seconds, or nothing where it is no duration
 */
export function seconds(value: string): number | undefined {
  if (value === "" || !SHAPE.test(value)) return undefined;
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+)([wdhms])/g)) {
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  }
  return total > 0 && total <= LONGEST ? total : undefined;
}

/** A duration greater than nothing. */
export const duration: Rule = (value) =>
  seconds(value) === undefined
    ? {
        what: "is no duration",
        remedy: 'write a number and s, m, h, d or w, such as "24h" or "7d"',
      }
    : undefined;
