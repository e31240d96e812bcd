import { EXIT, Fault } from "../host/fault.js";
import { count, printable } from "./text.ts";
import type { Problem } from "./types.ts";

/** `file:line:column: what — remedy`, on one line. */
export function problemLine({ file, line, column, what, remedy }: Problem): string {
  const where = [file, line, column].filter((part) => part !== undefined).join(":");
  return `${printable(where)}: ${what} — ${remedy}`;
}

/** Everything that is wrong with the registry and its overrides, at once. Nothing was changed. */
export class RegistryFault extends Fault {
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(`${count(problems.length, "problem")} in the registry, so nothing is changed`, {
      remedy: problems.map(problemLine).join("\n"),
      exitCode: EXIT.failed,
    });
    this.name = "RegistryFault";
    this.problems = problems;
  }
}

/** There is no registry yet. */
export class RegistryMissing extends Fault {
  readonly file: string;

  constructor(file: string) {
    super(`there is no registry at ${printable(file)}`, {
      remedy:
        "`repoman setup` makes one, `repoman new` adds repositories to it; `repoman env --registry FILE` has the stack follow another; npm start brings up a demo",
      exitCode: EXIT.environment,
    });
    this.name = "RegistryMissing";
    this.file = file;
  }
}
