// How profiles are shown: as YAML, and what differs between two of them.

import { stringify } from "yaml";
import { printable } from "../../registry/text.ts";
import type { Template } from "../../registry/types.ts";
import type { ProfileDifference } from "../../survey/profiles.ts";
import { displayWidth } from "../output/table.ts";

/** As `incus profile show` has it, ready for `incus profile edit`. */
export function asYaml({ name, description, config, devices }: Template): string {
  return stringify({ name, description, config, devices }, { lineWidth: 0 });
}

/** A line for each, from what is to what is wanted. */
export function differenceLines(differences: readonly ProfileDifference[]): string[] {
  const names = differences.map(({ property }) => printable(property));
  const width = Math.max(0, ...names.map(displayWidth));
  return differences.map(
    ({ is, wanted }, index) =>
      `  ${(names[index] ?? "").padEnd(width)}  ${value(is)} → ${value(wanted)}`,
  );
}

function value(content: unknown): string {
  if (content === undefined) return "(absent)";
  if (typeof content === "string") return `"${printable(content)}"`;
  const options = Object.entries(content as Record<string, string>);
  return printable(options.map(([key, each]) => `${key}=${each}`).join(" "));
}
