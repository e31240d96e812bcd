// The script that a shell loads. Each is small and asks repoman itself for whatever can stand at
// the cursor: so it need not be made anew when repoman changes, and all shells agree. None of them
// lets the shell interpret what it is told, and the program that is asked is always the one named
// here: never the word on the line, which in a stranger's folder may be a stranger's program.

import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const MADE: Readonly<Record<Shell, (program: string) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/**
 * @param program absolute path of what is asked
 */
export function completionScript(shell: Shell, program: string): string {
  return MADE[shell](program);
}
