// repoman.1, from the definitions that `--help` shows. Nothing in it depends on when or where it is
// made.

import type { Command } from "commander";
import { catalogue, type Entry } from "../catalogue.ts";
import { examplesOf, remarksOf } from "../definition.ts";
import { definition, overview } from "../program.ts";
import { ENVIRONMENT, EXIT_STATUS, FILES, INTRODUCTION, SEE_ALSO } from "./prose.ts";
import { Page } from "./roff.ts";

export interface About {
  version: string;
  /** `2026-11-21`; empty where it is not known. */
  date: string;
}

/** @returns the source of the page, for man(1) */
export async function manualPage({ version, date }: About): Promise<string> {
  const program = overview(version);
  const page = new Page()
    .comment("Made by repoman from the definitions of its commands.")
    .title("REPOMAN", 1, date, `repoman ${version}`, "User Commands")
    .section("NAME")
    .line(`repoman - ${decapitalize(program.description())}`)
    .section("SYNOPSIS")
    .line("`repoman` <command> [options]")
    .paragraph("`repoman` <command> --help")
    .section("DESCRIPTION");
  const [first = "", ...more] = INTRODUCTION;
  page.line(first);
  for (const text of more) page.paragraph(text);
  const shown = catalogue.filter(({ hidden }) => !hidden);
  for (const group of new Set(shown.map((entry) => entry.group))) {
    page.paragraph(`${group}:`);
    for (const { name, summary } of shown.filter((entry) => entry.group === group)) {
      page.item(name, summary);
    }
  }
  page
    .section("COMMANDS")
    .line("Every command takes `--help`; `repoman help` <command> is the same.");
  for (const entry of shown) await describe(page, entry);
  page.section("FILES");
  for (const [term, meaning] of FILES) page.item(term, meaning);
  page.section("ENVIRONMENT");
  for (const [term, meaning] of ENVIRONMENT) page.item(term, meaning);
  page.section("EXIT STATUS");
  for (const [term, meaning] of EXIT_STATUS) page.item(term, meaning);
  page.section("EXAMPLES");
  for (const [line, does] of examplesOf(program)) page.item(line, does);
  page.section("SEE ALSO").line(SEE_ALSO);
  return page.toString();
}

async function describe(page: Page, entry: Entry): Promise<void> {
  const command = await definition(entry);
  describeOne(page, command, `repoman ${command.name()}`);
  for (const each of command.commands) {
    describeOne(page, each, `repoman ${command.name()} ${each.name()}`);
  }
}

function describeOne(page: Page, command: Command, name: string): void {
  const help = command.createHelp();
  page.subsection(name.replace(/^repoman /, "")).line(`\`${name}\` ${command.usage()}`);
  page.paragraph(sentence(command.description()));
  for (const argument of command.registeredArguments) {
    const choices = argument.argChoices ? ` (${argument.argChoices.join(", ")})` : "";
    page.item(help.argumentTerm(argument), `${help.argumentDescription(argument)}${choices}`);
  }
  // `--help` is said once for all.
  for (const option of command.options.filter(({ hidden }) => !hidden)) {
    page.item(help.optionTerm(option), help.optionDescription(option));
  }
  for (const remark of remarksOf(command)) page.paragraph(remark);
  const examples = examplesOf(command);
  if (examples.length > 0) page.paragraph("Examples:");
  for (const [line, does] of examples) page.item(line, does);
}

/** Capitalized and with a full stop, as paragraphs are. */
function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.:]$/.test(start) ? start : `${start}.`;
}

function decapitalize(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/**
 * When a version was released, from the changelog: `## 0.5.0 - 2026-11-21`, in whatever way the
 * two are written; else the newest date in it.
 *
 * @returns `2026-11-21`, empty where it has none
 */
export function releaseDate(changelog: string, version: string): string {
  const headings = changelog.split("\n").filter((line) => line.startsWith("## "));
  const own = headings.filter((line) => line.split(/[^\w.+-]+/).includes(version));
  const dates = (lines: string[]) =>
    lines.flatMap((line) => /\d{4}-\d{2}-\d{2}/.exec(line)?.[0] ?? []).sort();
  return dates(own).at(-1) ?? dates(headings).at(-1) ?? "";
}
