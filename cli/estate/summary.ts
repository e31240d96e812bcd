import { inOwnWords } from "../../host/own-words.js";
import { withTilde } from "../../host/paths.js";
import { printable } from "../../registry/text.ts";
import { colorsFor } from "../output/say.ts";
import { type Column, renderTable } from "../output/table.ts";
import { ago } from "../output/units.ts";
import type { Setting } from "../setting.ts";
import { type BackupOutput, type Outputs, readOutputs } from "./outputs.ts";

const COLUMNS: readonly Column[] = [
  { head: "NAME" },
  { head: "STATE" },
  { head: "ADDRESS" },
  { head: "REPOSITORY", least: 12 },
  { head: "IMAGE", least: 8 },
  { head: "PROFILES", least: 8 },
  { head: "BACKUP", least: 6 },
];

/** Prints a table of what the stack has now. */
export async function printSummary(setting: Setting): Promise<void> {
  const outputs = await readOutputs(setting);
  process.stdout.write(
    `\n${summary(outputs, process.stdout.isTTY ? process.stdout.columns : undefined)}\n`,
  );
}

/**
 * @param outputs
 * @param width of the terminal, undefined where there is none
 * @param now milliseconds since the epoch
 */
export function summary(outputs: Outputs, width: number | undefined, now = Date.now()): string {
  const { dim, yellow } = colorsFor(process.stdout);
  const names = Object.keys(outputs.containers);
  const lines = [
    names.length > 0
      ? renderTable(
          COLUMNS,
          names.map((name) => row(name, outputs, now)),
          width,
        )
      : dim(inOwnWords("No containers to tell of; `repoman new` makes one.")),
  ];
  if (outputs.orphans.length > 0) {
    lines.push(
      "",
      `${yellow("Not in the registry, left alone:")} ${outputs.orphans.map(printable).join(", ")}`,
    );
  }
  return lines.join("\n");
}

function row(name: string, { containers, backups }: Outputs, now: number): string[] {
  const { state, ipv4, repo, image, profiles } = containers[name] ?? {};
  return [
    name,
    coloured(state),
    ipv4 ?? "-",
    repo ? withTilde(repo) : "-",
    image ?? "-",
    profiles?.join(", ") || "-",
    backup(backups[name], now),
  ].map((cell, index) => (index === 1 ? cell : printable(cell)));
}

/** A run state in its colour; `-` where there is none. */
export function coloured(state: string | null | undefined): string {
  const { green, yellow, red } = colorsFor(process.stdout);
  if (!state) return "-";
  if (state === "Running") return green(state);
  return state === "Error" ? red(state) : yellow(printable(state));
}

function backup(output: BackupOutput | undefined, now: number): string {
  if (!output) return "-";
  const when = output.lastSync ? ago(now - Date.parse(output.lastSync)) : "";
  const result = output.result ?? "";
  if (!when) return result || "not yet";
  return result === "" || result === "ok" ? when : `${result}, ${when}`;
}
