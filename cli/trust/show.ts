// How `repoman trust` tells of it. Every text here may come from the repository.

import { withTilde } from "../../host/paths.js";
import type { Exposure } from "../../registry/exposure.ts";
import { decode } from "../../registry/read.ts";
import { printable } from "../../registry/text.ts";
import { displayWidth } from "../output/table.ts";
import { type FileReview, type FileState, type Review, waits } from "./review.ts";

const STATES: Record<FileState, string> = {
  absent: "there is none",
  idle: "asks for nothing",
  untrusted: "was never trusted, and has no effect",
  trusted: "is what was trusted",
  changed: "has changed since it was trusted; what was trusted holds",
  gone: "is gone; what was trusted holds",
  unusable: "cannot be trusted as it is",
};

/** All of it: what a person has to see before agreeing. */
export function describeReview(found: Review, home: string): string {
  const { project, files, changes, exposures, excludes } = found;
  const lines = [`${project.name}: ${printable(project.repo)}`];
  for (const file of files) {
    if (file.state === "absent" && file.name !== ".repoman.toml" && !file.recorded) continue;
    lines.push(...describeFile(file));
  }
  const properties = changes.map(({ property }) => printable(property));
  const width = Math.max(0, ...properties.map(displayWidth));
  if (changes.length > 0) {
    lines.push("", "What would change for the container:");
    changes.forEach(({ before, after }, index) => {
      const name = (properties[index] ?? "").padEnd(width);
      lines.push(`  ${name}  ${value(before)} → ${value(after)}`);
    });
  }
  if (exposures.length > 0) {
    lines.push("", "What it could then reach of this host:");
    for (const exposure of exposures) lines.push(`  ${describeExposure(exposure, home)}`);
  }
  const { added, removed } = excludes;
  if (added.length + removed.length > 0) {
    lines.push("", "What would change for the backup:");
    lines.push(...added.map((line) => `  + leaves out ${pattern(line)}`));
    lines.push(...removed.map((line) => `  - no longer leaves out ${pattern(line)}`));
  }
  if (changes.length + added.length + removed.length === 0 && files.some(isNews)) {
    lines.push("", "It would change nothing now: all that is asked for is so already, or");
    lines.push("repos.d has the last word on it.");
  }
  return `${lines.join("\n")}\n`;
}

function isNews({ state }: FileReview): boolean {
  return state === "untrusted" || state === "changed";
}

function describeFile(file: FileReview): string[] {
  const { name, state, trustedAt, bytes, reasons } = file;
  const when = trustedAt === undefined ? "" : ` (trusted ${trustedAt.slice(0, 16)}Z)`;
  const lines = ["", `${name} ${STATES[state]}${when}`];
  lines.push(...reasons.map((reason) => `  ! ${printable(reason)}`));
  if (!bytes || !waits(file)) return lines;
  // Comments and all: what has no effect today may have one when the registry changes.
  const text = decode(bytes) ?? bytes.toString("latin1");
  const content = text.replace(/\n$/, "").split("\n");
  return [...lines, ...content.map((line) => `  | ${printable(line.replace(/\r$/, ""))}`)];
}

/** `~/.ssh at /ssh, writable, credentials` */
export function describeExposure(exposure: Exposure, home: string): string {
  const { kind, host, inside, writable, credentials } = exposure;
  const place = printable(withTilde(host, home));
  const at = inside === "" || inside === host ? "" : ` at ${printable(withTilde(inside, home))}`;
  if (kind === "listener") return `${place} leads to ${printable(inside)} inside`;
  const how = kind === "path" ? `, ${writable ? "writable" : "to read only"}` : "";
  const word = kind === "path" ? "" : `${kind} `;
  return `${word}${place}${at}${how}${credentials ? ", credentials" : ""}`;
}

/** Never cut short: what is agreed with is seen whole. */
function value(text: string | undefined): string {
  return text === undefined ? "(unset)" : `"${printable(text.replace(/["\\]/g, "\\$&"))}"`;
}

function pattern(latin1: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  return printable(decode(bytes) ?? latin1);
}

/** The same for a program. */
export function reviewJson({ project, files, changes, exposures, excludes }: Review): object {
  return {
    name: project.name,
    repo: project.repo,
    files: files.map(({ name, path, state, sha256, trustedAt, trustedSha256, reasons }) => ({
      file: name,
      path,
      state,
      sha256: sha256 ?? null,
      trustedAt: trustedAt ?? null,
      trustedSha256: trustedSha256 ?? null,
      reasons,
    })),
    changes: changes.map(({ property, before, after }) => ({
      property,
      before: before ?? null,
      after: after ?? null,
    })),
    exposures,
    excludes,
  };
}
