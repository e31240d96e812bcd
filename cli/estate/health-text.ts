import { printable } from "../../registry/text.ts";
import type { Finding, Group } from "../../survey/health/index.ts";
import { colorsFor } from "../output/say.ts";
import { displayWidth } from "../output/table.ts";

const TITLES: Record<Group, string> = {
  server: "Server",
  project: "Incus project",
  profiles: "Profiles",
  containers: "Containers",
  backups: "Backups",
  repositories: "Repositories",
  host: "Host",
  registry: "Registry",
};

/** So many good lines of a group are shown one by one. */
const MOST_GOOD = 12;
const LEAST_WIDTH = 60;

/**
 * What was found, by group, for people.
 *
 * @param findings in the order of the groups
 * @param width of the terminal; undefined where there is none, and nothing is wrapped
 */
export function renderHealth(findings: readonly Finding[], width: number | undefined): string {
  const { bold } = colorsFor(process.stdout);
  const lines: string[] = [];
  for (const group of new Set(findings.map((finding) => finding.group))) {
    const all = findings.filter((finding) => finding.group === group);
    const good = all.filter(({ state }) => state === "good");
    const shown = good.length > MOST_GOOD ? all.filter(({ state }) => state !== "good") : all;
    const subjects = shown.map(({ subject }) => displayWidth(printable(subject)));
    const column = Math.min(24, Math.max(0, ...subjects));
    if (lines.length > 0) lines.push("");
    lines.push(bold(TITLES[group]));
    for (const finding of shown) lines.push(...renderFinding(finding, column, width));
    if (shown.length < all.length) {
      lines.push(...renderFinding(summed(group, good.length), column, width));
    }
  }
  return lines.join("\n");
}

function summed(group: Group, count: number): Finding {
  return { group, subject: "", state: "good", what: `${count} others are good` };
}

function renderFinding(
  { state, subject, what, remedy }: Finding,
  column: number,
  width: number | undefined,
): string[] {
  const { dim } = colorsFor(process.stdout);
  const name = printable(subject);
  const gap = " ".repeat(Math.max(0, column - displayWidth(name)));
  const head = `  ${mark(state)} ${name}${gap}${name ? "  " : ""}`;
  const indent = " ".repeat(4 + Math.max(column, displayWidth(name)) + 2);
  const room =
    width === undefined ? Number.POSITIVE_INFINITY : Math.max(LEAST_WIDTH, width) - indent.length;
  const [first = "", ...rest] = wrap(printable(what), room);
  return [
    `${head}${state === "good" || state === "note" ? dim(first) : first}`,
    ...rest.map((line) => indent + line),
    ...(remedy ? wrap(`→ ${printable(remedy)}`, room).map((line) => indent + line) : []),
  ];
}

function mark(state: Finding["state"]): string {
  const { green, red, yellow, dim } = colorsFor(process.stdout);
  switch (state) {
    case "good":
      return green("✓");
    case "bad":
      return red("✗");
    case "unknown":
      return yellow("?");
    case "note":
      return dim("·");
  }
}

/** Lines of at most so many columns, cut at spaces; a word that is longer stays whole, to be copied. */
export function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
