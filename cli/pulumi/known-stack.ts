// A stack that the command line names. One that is mistyped would have the user's own registry under
// another name, and the commands that write would make a second estate of it.

import { EXIT, Fault } from "../../host/fault.js";
import { exists } from "../../host/files.js";
import type { Setting } from "../setting.ts";
import { stackExists } from "./stack.ts";
import { stackConfigFile } from "./stack-config.ts";

/**
 * One whose state is elsewhere, or was lost, is known by its config.
 *
 * @throws Fault (usage) where there is no such stack
 */
export async function requireStack(setting: Setting): Promise<void> {
  const { root, stack } = setting;
  if (await exists(stackConfigFile(root, stack))) return;
  if (!setting.backend || (await stackExists(setting))) return;
  throw noStack(stack, await knownStacks(setting));
}

/** Which stacks there are, as a sentence. */
export async function knownStacks({ backend, project }: Setting): Promise<string> {
  const stacks = (await backend?.stacks(project)) ?? [];
  return stacks.length > 0 ? `There are: ${stacks.join(", ")}.` : "There is none yet.";
}

export function noStack(stack: string, known: string): Fault {
  const remedy = `${known} \`up\`, \`preview\`, \`env\` and \`setup\` make a new one.`;
  return new Fault(`there is no stack "${stack}"`, { remedy, exitCode: EXIT.usage });
}
