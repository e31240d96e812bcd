import { EXIT, Fault } from "../../host/fault.js";
import { ask, canAsk } from "../output/ask.ts";

/**
 * The project that a command is about: the one that was named, else one that is chosen at the
 * terminal.
 *
 * @param names what there is to choose from
 * @param question such as "Remove which project?"
 * @throws Fault (usage) where none was named and nobody can be asked
 */
export async function chooseProject(
  name: string | undefined,
  names: readonly string[],
  question: string,
): Promise<string> {
  if (name !== undefined) return name;
  if (!canAsk() || names.length === 0) {
    throw new Fault("this needs to be told which project", {
      remedy: names.length > 0 ? `There are: ${names.join(", ")}.` : "The registry has none.",
      exitCode: EXIT.usage,
    });
  }
  const options = names.map((value) => ({ value, label: value }));
  return ask<string>(({ select }, io) =>
    select<string>({ message: question, options, maxItems: 12, ...io }),
  );
}
