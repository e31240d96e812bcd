// The stack's configuration, as `Pulumi.yaml` declares it.

import { Config } from "@pulumi/pulumi/config.js";
import { RunError } from "@pulumi/pulumi/errors.js";
import { getStack } from "@pulumi/pulumi/metadata.js";
import { isDryRun } from "@pulumi/pulumi/runtime/settings.js";
import { EXIT, Fault } from "./host/fault.js";
import { remedyInOwnWords } from "./host/own-words.js";
import { expandHome, paths } from "./host/paths.js";
import { reachAnew } from "./host/reach.js";
import { report } from "./host/report.js";
import { isStackId, type Owner } from "./providers/ownership.ts";
import { type ProfileChoice, parseChoice } from "./registry/profile-choice.ts";

export interface Settings {
  /** Absolute path of the registry. */
  file: string;
  /** A remote of the incus client's configuration; empty for the local daemon. */
  remote: string;
  profiles: ProfileChoice;
  restart: boolean;
  /** Whether a preview says what mirror runs would do now. */
  pending: boolean;
  owner: Owner;
  /** Whether this run only previews. */
  dryRun: boolean;
}

export function readSettings(): Settings {
  reachAnew(getStack());
  const config = new Config("repoman");
  const { home, registry } = paths();
  const id = config.get("stackId");
  if (!id) {
    stopped(
      new Fault(
        `the stack "${getStack()}" has no repoman:stackId, so nothing could be known as its own`,
        {
          remedy: 'Let repoman make the stack: eval "$(repoman env)"',
          exitCode: EXIT.environment,
        },
      ),
    );
  }
  if (!isStackId(id)) {
    stopped(
      new Fault(`repoman:stackId of the stack "${getStack()}" is not an id of a stack`, {
        remedy: "It has 8 to 64 letters, digits and hyphens.",
        exitCode: EXIT.environment,
      }),
    );
  }
  return {
    file: expandHome(config.get("registry") || registry, home),
    remote: config.get("remote") ?? "",
    profiles: parseChoice(config.get("profiles")),
    restart: config.getBoolean("restart") ?? false,
    pending: config.getBoolean("pending") ?? false,
    owner: { id, stack: getStack() },
    dryRun: isDryRun(),
  };
}

/**
 * Ends the program with a message instead of a stack, and tells `repoman` the exit code.
 * @throws always
 */
export function stopped(error: unknown): never {
  if (!(error instanceof Fault)) throw error;
  const message = remedyInOwnWords(error.message);
  report(error.exitCode, "program", message);
  throw new RunError(message);
}
