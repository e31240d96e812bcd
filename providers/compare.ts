import { isDeepStrictEqual } from "node:util";

/** The names of the inputs that differ between what is there and what is wanted. */
export function changed<K extends string>(
  live: { [key in K]?: unknown },
  wanted: { [key in K]?: unknown },
  names: readonly K[],
): K[] {
  return names.filter((name) => !isDeepStrictEqual(live[name], wanted[name]));
}
