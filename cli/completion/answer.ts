// `repoman __complete <word>…`: what the completion scripts of the shells ask. The first line says
// what to take (`words`, `files`, `directories`), then comes one word a line, with a tab and a
// summary after it. It never fails aloud, asks nothing and changes nothing: somebody is typing.

import { printable } from "../../registry/text.ts";
import { ROOT } from "../../tools/toolchain.js";
import { catalogue } from "../catalogue.ts";
import { definition, overview } from "../program.ts";
import { type Answer, complete } from "./complete.ts";
import { valuesOf } from "./values.ts";

/** A folder on a disk that does not answer must not hold up a prompt. */
const PATIENCE_MS = 2_000;

/** @param line the words after the program's name, up to the cursor */
export async function answer(line: readonly string[], env = process.env): Promise<void> {
  setTimeout(() => process.exit(), PATIENCE_MS).unref();
  const place = { root: env.REPOMAN_ROOT || ROOT, env, cwd: process.cwd() };
  try {
    const found = await complete(line, {
      catalogue,
      overview: () => overview(""),
      definition,
      values: (kind, given) => valuesOf(kind, given, place),
    });
    process.stdout.write(written(found));
  } catch (error) {
    if (env.REPOMAN_DEBUG) throw error;
  }
}

/** As the scripts read it: what could not be one word of one line is left out. */
export function written({ take, candidates }: Answer): string {
  const lines = candidates
    .filter(({ value }) => value !== "" && value === printable(value))
    .map(({ value, summary }) => `${value}\t${printable(summary)}\n`);
  return `${take}\n${lines.join("")}`;
}
