// A real pseudo-terminal for what behaves otherwise on one: questions, colours, a shell.

import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { commandLine } from "../../host/command-line.js";
import type { CommandOptions, Running } from "../rig/command.ts";
import { until } from "../rig/place.ts";

/** Keys by name, as a terminal sends them. */
export const KEY = {
  enter: "\r",
  interrupt: "\u0003",
  end: "\u0004",
  suspend: "\u001a",
  escape: "\u001b",
  up: "\u001b[A",
  down: "\u001b[B",
  space: " ",
  backspace: "\u007f",
} as const;

export interface TerminalOptions extends CommandOptions {
  /** 90 unless said. */
  columns?: number;
  /** 40 unless said. */
  rows?: number;
}

/** A command on a terminal of its own. */
export interface Terminal {
  /** All that was shown so far, without colours and carriage returns. */
  readonly text: string;
  /** The same, as it came. */
  readonly raw: string;
  /** Waits until it was shown since the last thing that was waited for; a prompt redraws itself. */
  shows(what: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Types, all at once. */
  type(keys: string): void;
  /** As a window that the user draws larger: the foreground programs get SIGWINCH. */
  resize(columns: number, rows: number): Promise<void>;
  /** Resolves when it has ended. */
  readonly done: Promise<{ exitCode: number; text: string }>;
  /** The window is closed: SIGHUP to all that is in it. */
  close(): void;
}

/** Where commands are started: a host of the rig, or anything with a home and a way to run them. */
interface Machine {
  readonly home: string;
  spawn(argv: string[], options?: CommandOptions): Running;
}

/**
 * Starts a command on a pseudo-terminal, by script(1).
 *
 * @param argv passed as it is
 */
export function openTerminal(
  machine: Machine,
  argv: readonly string[],
  { columns = 90, rows = 40, ...options }: TerminalOptions = {},
): Terminal {
  const name = join(machine.home, `.terminal-${randomUUID()}`);
  const inner = `tty >${name}; stty cols ${columns} rows ${rows}; exec ${commandLine(argv)}`;
  const running = machine.spawn(
    ["script", "--quiet", "--return", "--flush", "--command", inner, "/dev/null"],
    // Pulumi asks any other terminal for its colours, and waits five seconds for the answer.
    { ...options, open: true, env: { TERM: "screen-256color", SHELL: "/bin/sh", ...options.env } },
  );
  const plain = () => stripVTControlCharacters(running.output).replaceAll("\r", "");
  let seen = 0;
  const find = (what: string | RegExp) => {
    const rest = plain().slice(seen);
    const match =
      typeof what === "string" ? { index: rest.indexOf(what), 0: what } : what.exec(rest);
    return match && match.index >= 0 ? seen + match.index + match[0].length : undefined;
  };
  let over = false;
  const done = running.done.then(({ exitCode }) => {
    over = true;
    rmSync(name, { force: true });
    return { exitCode, text: plain() };
  });
  done.catch(() => {
    over = true;
  });
  return {
    get text() {
      return plain();
    },
    get raw() {
      return running.output;
    },
    async shows(what, timeoutMs = 60_000) {
      seen = await until(
        `${what} on the terminal`,
        () => {
          const found = find(what);
          if (found === undefined && over) {
            throw new Error(`${argv.join(" ")} ended without showing ${what}:\n${plain()}`);
          }
          return found;
        },
        timeoutMs,
      ).catch((error: Error) => {
        throw new Error(`${error.message}:\n${plain().slice(seen)}`);
      });
    },
    type: (keys) => running.write(keys),
    async resize(width, height) {
      const file = readFileSync(name, "utf8").trim();
      const size = ["stty", "-F", file, "cols", String(width), "rows", String(height)];
      const { exitCode, all } = await machine.spawn(size).done;
      if (exitCode !== 0) throw new Error(`${size.join(" ")}: ${all}`);
    },
    done,
    close: () => running.killGroup("SIGHUP"),
  };
}
