// The user's editor: $VISUAL, else $EDITOR, which may hold arguments; no shell in between.

import { spawn } from "node:child_process";
import { EXIT, Fault } from "../../host/fault.js";
import { quote } from "../../registry/text.ts";
import { isExecutable, which } from "../../tools/which.js";
import { canAsk } from "../output/ask.ts";

/** Where nobody says which: what Debian calls the user's choice, and what there is. */
const USUAL = ["sensible-editor", "editor", "nano", "vim", "vi"];

/**
 * The editor's command and its arguments.
 *
 * @throws Fault (usage) where none is named and there is no terminal for one, or its name makes no
 *   sense; (environment) where there is none
 */
export function editorCommand(env: NodeJS.ProcessEnv): [string, ...string[]] {
  const named = (["VISUAL", "EDITOR"] as const).find((name) => env[name]?.trim());
  if (!named) {
    if (!canAsk()) {
      throw new Fault("there is no terminal to edit at, and no editor is named", {
        remedy: "Set EDITOR, or change the file yourself and run: repoman config validate",
        exitCode: EXIT.usage,
      });
    }
    const usual = USUAL.find((name) => which(name, env.PATH));
    if (usual) return [usual];
    throw new Fault("there is no editor", {
      remedy: "Name one: EDITOR=… repoman config edit",
      exitCode: EXIT.environment,
    });
  }
  const value = (env[named] ?? "").trim();
  // A path may have spaces.
  if (isExecutable(value)) return [value];
  const [command, ...args] = splitWords(value) ?? [];
  if (command === undefined || command === "") {
    throw new Fault(`${named} is ${quote(value)}, which is no command`, {
      remedy: `Set ${named} to a command and its arguments, such as "code --wait".`,
      exitCode: EXIT.usage,
    });
  }
  return [command, ...args];
}

/** Words as a shell splits them, quotes and backslashes understood, nothing expanded. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) return undefined;
    const [whole, single, double, escaped, plain] = match;
    const piece = single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? plain;
    if (piece !== undefined) word = (word ?? "") + piece;
    else if (whole && word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/**
 * Opens a file in the editor, and waits until it is closed.
 *
 * @throws Fault (environment) where it cannot be started, (failed) where it does not end well
 */
export async function openEditor(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const [command, ...args] = editorCommand(env);
  // Ctrl-C at the terminal is the editor's; it reaches us as well.
  const ignore = () => {};
  process.on("SIGINT", ignore);
  process.on("SIGQUIT", ignore);
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(command, [...args, file], { stdio: "inherit", env });
      child.on("error", (cause: NodeJS.ErrnoException) => {
        const why = cause.code === "ENOENT" ? "is not there" : `cannot be started (${cause.code})`;
        const remedy = "Name another: EDITOR=… repoman config edit";
        const options = { remedy, exitCode: EXIT.environment, cause };
        reject(new Fault(`the editor ${quote(command)} ${why}`, options));
      });
      child.on("exit", (code, signal) => {
        if (code === 0) resolve();
        else
          reject(
            new Fault(`the editor ${quote(command)} ended with ${signal ?? `code ${code}`}`, {
              remedy: "See what it said, or name another: EDITOR=… repoman config edit",
            }),
          );
      });
    });
  } finally {
    process.off("SIGINT", ignore);
    process.off("SIGQUIT", ignore);
  }
}
