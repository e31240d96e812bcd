// Real shells that complete a line: bash and zsh on a pseudo-terminal, fish by its own `complete`.

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { quote } from "../../host/command-line.js";

const ROOT = join(import.meta.dirname, "../..");

/** What became of a line after the tab key. */
export interface Completed {
  /** The line, as far as the shell completed it. */
  line: string;
  /** What it showed meanwhile, such as a list to choose from. */
  shown: string;
}

/** A program that a script can ask: the command line under this Node, without any set-up. */
export function launcher(folder: string): string {
  const file = join(folder, "it's $HOME `here`/repoman");
  mkdirSync(join(file, ".."), { recursive: true });
  const words = [process.execPath, join(ROOT, "cli/main.ts")].map(quote).join(" ");
  const cache = quote(join(folder, "compile-cache"));
  writeFileSync(file, `#!/bin/sh\nNODE_COMPILE_CACHE=${cache} exec ${words} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

/** Sets a shell up and binds Ctrl-X Ctrl-X to show the line as it is and to clear it. */
const READY = {
  bash: {
    argv: ["bash", "--norc", "--noprofile", "-i"],
    rc: (script: string) => `. ${quote(script)}
bind 'set bell-style none'; bind 'set page-completions off'; bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'
dump() { printf '\\n<<%s>>\\n' "$READLINE_LINE"; READLINE_LINE=; }
bind -x '"\\C-x\\C-x": dump'
PS1=; echo '<<'ready'>>'
`,
  },
  zsh: {
    argv: ["zsh", "-f", "-i"],
    rc: (script: string) => `autoload -Uz compinit; compinit -D -u
source ${quote(script)}
unsetopt beep prompt_cr prompt_sp; LISTMAX=1000
dump() { print -r -- $'\\n'"<<$BUFFER>>"; BUFFER= }
zle -N dump; bindkey '^X^X' dump
PS1=; print '<<'ready'>>'
`,
  },
} as const;

/**
 * Types each line and a tab.
 *
 * @param script file of the script to load
 */
export async function typeIn(
  shell: keyof typeof READY,
  script: string,
  lines: readonly string[],
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Promise<Completed[]> {
  const { argv, rc } = READY[shell];
  const file = join(cwd, `.${shell}-setup`);
  writeFileSync(file, rc(script));
  const inner = `stty cols 250 rows 60 -echo; exec ${argv.join(" ")}`;
  const child = spawn("script", ["--quiet", "--flush", "--command", inner, "/dev/null"], {
    cwd,
    env: {
      ...env,
      TERM: "xterm",
      SHELL: "/bin/sh",
      LC_ALL: "C.UTF-8",
      PS1: "",
      PROMPT_COMMAND: "",
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  let notify = () => {};
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
    notify();
  });
  const ended = new Promise<never>((_, reject) => {
    child.once("close", () => reject(new Error(`${shell} ended: ${output}`)));
  });
  ended.catch(() => {});
  const dumped = async (): Promise<Completed> => {
    for (;;) {
      const plain = stripVTControlCharacters(output).replaceAll("\r", "");
      const [whole, shown = "", line = ""] = /^(.*?)<<(.*?)>>/s.exec(plain) ?? [];
      if (whole !== undefined) {
        output = "";
        return { line, shown };
      }
      await Promise.race([ended, new Promise<void>((resolve) => (notify = resolve))]);
    }
  };
  try {
    child.stdin.write(`. ${quote(file)}\n`);
    await dumped();
    const found: Completed[] = [];
    for (const line of lines) {
      child.stdin.write(`${line}\t\u0018\u0018`);
      found.push(await dumped());
    }
    return found;
  } finally {
    child.kill("SIGHUP");
  }
}

/** What fish offers for each line: word and summary, with a tab between. */
export async function askFish(
  script: string,
  lines: readonly string[],
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Promise<string[][]> {
  const asks = lines.map((line) => `complete -C ${fishQuote(line)}; echo '<<>>'`).join("\n");
  const { stdout } = await execa(
    "fish",
    ["--no-config", "--command", `source ${fishQuote(script)}\n${asks}\n`],
    {
      cwd,
      env: { ...env, LC_ALL: "C.UTF-8" },
      extendEnv: false,
      stdin: "ignore",
    },
  );
  return stdout
    .split("<<>>")
    .slice(0, lines.length)
    .map((text) => text.split("\n").filter((line) => line !== ""));
}

function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
