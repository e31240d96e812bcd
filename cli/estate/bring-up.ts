import { EXIT } from "../../host/fault.js";
import { note } from "../output/say.ts";
import { operate } from "../pulumi/operate.ts";

/**
 * Applies what the registry says of these projects, and of nothing else; whoever calls this has
 * shown what that means and been told to go on.
 *
 * @returns one of `EXIT`; where it is not 0, how to go on was said
 */
export async function bringUp(names: readonly string[], stack: string): Promise<number> {
  const { exitCode } = await operate({
    operation: "up",
    names,
    flags: ["--skip-preview"],
    yes: true,
    aside: true,
    stack,
  });
  if (exitCode !== EXIT.ok) {
    const again = `repoman up ${names.join(" ")}`;
    note(`The registry keeps what it says. Mend what is wrong, then go on: ${again}`);
  }
  return exitCode;
}
