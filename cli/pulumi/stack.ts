// A stack is made at its first use, with a random id that marks everything it makes on the server.
// Losing the id would make the stack's own containers look like another's, so it is kept in three
// places, each of which restores the others: the stack's config file, repoman's state directory,
// and the inputs of the resources in Pulumi's state.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { exists, writeFileAtomic } from "../../host/files.js";
import { HeldLock, waitForLock } from "../../host/lock.js";
import { note } from "../output/say.ts";
import type { Setting } from "../setting.ts";
import type { Deployment } from "./backend.ts";
import { clearDeadLocks } from "./cut-off.ts";
import { capturePulumi } from "./run.ts";
import {
  readStackConfig,
  requireStackId,
  type StackConfig,
  stackConfigFile,
  writeStackConfig,
} from "./stack-config.ts";

/** The config of a stack that has been made. */
export type Complete = StackConfig & { stackId: string };

const TWO_FIRST_USES_MS = 30_000;

/**
 * Makes the stack if it is not there, completes its config, and returns that.
 *
 * @param registry what `--registry` said, absolute: recorded, since plain `pulumi` reads it there
 * @throws Fault; nothing is half-made that the next call does not complete
 */
export async function ensureStack(setting: Setting, registry?: string): Promise<Complete> {
  const file = stackConfigFile(setting.root, setting.stack);
  const before = await readStackConfig(file);
  const wanted = registry ?? before.registry;
  if (before.stackId !== undefined && before.registry === wanted) {
    const { stackId } = before;
    const kept = await readText(idFile(setting));
    if (kept === stackId && (await stackExists(setting))) return { ...before, stackId };
  }
  const lock = await waitForLock(
    join(setting.stackDir, "init.lock"),
    `repoman (pid ${process.pid})`,
    {
      timeoutMs: TWO_FIRST_USES_MS,
    },
  );
  if (!(lock instanceof HeldLock)) {
    throw new Fault(`the stack "${setting.stack}" is being made by ${lock.holder}`, {
      remedy: "Wait until it has ended, then run again.",
      exitCode: EXIT.conflict,
    });
  }
  try {
    if (!(await stackExists(setting))) await initStack(setting);
    const config = await readStackConfig(file);
    const stackId = await settleId(setting, config.stackId);
    const values: Complete = { stackId, ...(wanted === undefined ? {} : { registry: wanted }) };
    await writeStackConfig(file, values).catch((error: NodeJS.ErrnoException) => {
      throw cannotWrite(file, error);
    });
    if (registry !== undefined && before.registry !== undefined && before.registry !== registry) {
      note(`The stack "${setting.stack}" now follows ${registry} (before: ${before.registry}).`);
    }
    return { ...config, ...values };
  } finally {
    lock.release();
  }
}

/** Whether Pulumi has the stack; for a backend that is not a folder, whether it had it when last seen. */
export async function stackExists({
  backend,
  project,
  stack,
  stackDir,
  env,
}: Setting): Promise<boolean> {
  if (backend) return (await backend.stacks(project)).includes(stack);
  return (await readText(join(stackDir, "backend"))) === env.PULUMI_BACKEND_URL;
}

/** Forgets that the stack was seen in a backend: it is not there any more. */
export async function forgetStack({ stackDir }: Setting): Promise<void> {
  await writeFileAtomic(join(stackDir, "backend"), "");
}

async function initStack(setting: Setting): Promise<void> {
  const { stack, env, stackDir } = setting;
  await clearDeadLocks(setting);
  const { code, stderr } = await capturePulumi(setting, [
    "stack",
    "init",
    "--stack",
    stack,
    "--no-select",
    "--non-interactive",
  ]);
  // There already, in a backend whose stacks could not be looked up.
  if (code !== 0 && !/already exists/.test(stderr)) {
    throw new Fault(`Pulumi cannot make the stack "${stack}" in ${env.PULUMI_BACKEND_URL}`, {
      remedy: stderr.replace(/^error: /, "").trim() || `pulumi stack init exited with ${code}`,
      exitCode: EXIT.environment,
    });
  }
  if (code === 0) note(`Made the stack "${stack}".`);
  if (!setting.backend)
    await writeFileAtomic(join(stackDir, "backend"), env.PULUMI_BACKEND_URL ?? "");
}

/** The id that the config, the state directory or Pulumi's state names; a new one where none does. */
async function settleId(setting: Setting, configured: string | undefined): Promise<string> {
  const { known, kept } = await lookForId(setting, configured);
  const id = known ?? randomBytes(8).toString("hex");
  if (kept === undefined) await writeFileAtomic(idFile(setting), `${id}\n`);
  return id;
}

/** The id of a stack that was made, wherever it is to be found; nothing is made or mended. */
export async function knownId(
  setting: Setting,
  configured: string | undefined,
): Promise<string | undefined> {
  // Asking Pulumi for a state that is not there takes a second.
  const anywhere = configured !== undefined || (await readText(idFile(setting))) !== undefined;
  if (!anywhere && !(await stackExists(setting))) return undefined;
  return (await lookForId(setting, configured)).known;
}

async function lookForId(
  setting: Setting,
  configured: string | undefined,
): Promise<{ known: string | undefined; kept: string | undefined }> {
  const kept = await readText(idFile(setting));
  if (configured !== undefined && kept !== undefined && configured !== kept) {
    throw new Fault(
      `the id of the stack "${setting.stack}" is ${configured} in ${stackConfigFile(setting.root, setting.stack)} and ${kept} in ${idFile(setting)}`,
      {
        remedy:
          "The id says which containers are this stack's. Keep the one that `incus project show` gives as user.repoman.stack, and remove the other.",
        exitCode: EXIT.conflict,
      },
    );
  }
  const known = configured ?? kept ?? idInState(await readDeployment(setting), setting.stack);
  if (known !== undefined) {
    requireStackId(known, stackConfigFile(setting.root, setting.stack), idFile(setting));
  }
  return { known, kept };
}

/**
 * The id that the resources of a deployment carry, if they agree on one.
 *
 * @throws Fault (conflict) where they do not
 */
export function idInState(deployment: Deployment | undefined, stack: string): string | undefined {
  const ids = new Set<string>();
  for (const { type, inputs } of deployment?.resources ?? []) {
    if (!type.startsWith("pulumi-nodejs:dynamic/repoman:")) continue;
    const id = (inputs?.owner as { id?: unknown } | undefined)?.id;
    // Empty: the mark had been taken off the object when it was last read.
    if (typeof id === "string" && id !== "") ids.add(id);
  }
  if (ids.size > 1) {
    throw new Fault(
      `the resources of the stack "${stack}" carry different ids: ${[...ids].join(", ")}`,
      {
        remedy: `Say which is right: write \`repoman:stackId: ID\` below \`config:\` in Pulumi.${stack}.yaml`,
        exitCode: EXIT.conflict,
      },
    );
  }
  return [...ids][0];
}

/** The stack's state; undefined where it has none. */
export async function readDeployment(setting: Setting): Promise<Deployment | undefined> {
  if (setting.backend) {
    const deployment = await setting.backend.deployment(setting.project, setting.stack);
    if (deployment) return deployment;
  }
  const { code, stdout } = await capturePulumi(setting, [
    "stack",
    "export",
    "--stack",
    setting.stack,
  ]);
  return code === 0 ? (JSON.parse(stdout) as { deployment?: Deployment }).deployment : undefined;
}

function idFile({ stackDir }: Setting): string {
  return join(stackDir, "id");
}

async function readText(file: string): Promise<string | undefined> {
  if (!(await exists(file))) return undefined;
  return (await readFile(file, "utf8")).trim() || undefined;
}

function cannotWrite(file: string, error: NodeJS.ErrnoException): unknown {
  if (error.code !== "EACCES" && error.code !== "EROFS" && error.code !== "EPERM") return error;
  return new Fault(`${file} cannot be written (${error.code})`, {
    remedy:
      "A stack's config lies in the project's folder: make that writable, or use a copy of the project of your own.",
    exitCode: EXIT.environment,
    cause: error,
  });
}
