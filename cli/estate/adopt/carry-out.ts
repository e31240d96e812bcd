// Adopting, step by step. Each step can be cut off, and the whole run again goes on from there:
//
//   the mark, with the run state to come back to   →   the move (stop, move, start)
//   →   the entry in the registry   →   Pulumi's state   →   `up`   →   the note of it taken off
//
// The mark comes first, so that nothing takes a half-adopted instance for somebody else's; until
// its note is gone, nothing removes it either.

import { EXIT, Fault } from "../../../host/fault.js";
import type { IncusClient } from "../../../incus/client.ts";
import { TimedOut } from "../../../incus/errors.ts";
import type { Instance } from "../../../incus/types.ts";
import { addressOf, uuidOf } from "../../../providers/container/live.ts";
import { MARK } from "../../../providers/ownership.ts";
import { addProject } from "../../../registry/edit/edits.ts";
import { editRegistry } from "../../../registry/edit/file.ts";
import type { Context } from "../../context.ts";
import { note, warn } from "../../output/say.ts";
import { hasEstate, importContainers, plannedFor } from "../../pulumi/import.ts";
import { operate } from "../../pulumi/operate.ts";
import { targetFlags, upTargets } from "../../pulumi/targets.ts";
import { type Adoption, adoptionMarks } from "./plan.ts";

const IN_PLACE = "in-place";

export interface Outcome {
  adopted: string[];
  /** Why not, by name. */
  failed: Map<string, unknown>;
}

/** Makes sure that the estate is there for containers to be moved into. */
export async function provideEstate({ setting }: Context): Promise<void> {
  if (await hasEstate(setting)) return;
  note("Making the estate's Incus project first.");
  await succeed(setting.stack, [], ["--skip-preview", ...targetFlags(upTargets([], []))]);
}

/**
 * @throws Fault for what concerns all; what concerns one instance is in the outcome
 */
export async function carryOut(
  context: Context,
  client: IncusClient,
  adoptions: readonly Adoption[],
): Promise<Outcome> {
  const { setting, file } = context;
  const failed = new Map<string, unknown>();
  const arrived: Adoption[] = [];
  for (const adoption of adoptions) {
    try {
      await mark(client, adoption);
      await bring(client, adoption);
      arrived.push(adoption);
    } catch (error) {
      failed.set(adoption.instance.name, error);
    }
  }
  if (arrived.length === 0) return { adopted: [], failed };

  const entries = arrived.flatMap(({ entry }) => (entry ? [addProject(entry)] : []));
  if (entries.length > 0) {
    await editRegistry(file, (text) => entries.reduce((now, edit) => edit(now), text), {
      env: setting.env,
    });
  }
  const [first] = arrived;
  const owner = first?.inputs.owner;
  if (!owner) return { adopted: [], failed };
  const states = await Promise.all(
    arrived.map(async ({ inputs }) => {
      const { value } = await client.getInstance(inputs.project, inputs.name);
      const ipv4 = await addressOf(client, value);
      return { ...inputs, uuid: uuidOf(value), state: value.status, ipv4 };
    }),
  );
  await importContainers(setting, owner.id, states);

  const names = arrived.map(({ instance }) => instance.name);
  const planned = await plannedFor(setting, names);
  if (planned !== undefined) {
    throw new Fault(`adopted, but a preview of ${names.join(", ")} is not empty:\n${planned}`, {
      remedy: `Nothing was changed inside. Look: repoman preview --diff ${names.join(" ")}`,
    });
  }
  // Their first copy, and the stack's outputs.
  await succeed(setting.stack, names, ["--skip-preview"]);
  for (const { instance, inputs } of arrived) {
    await client.updateInstance(inputs.project, instance.name, (current) => {
      const { [MARK.adopting]: _adopting, ...config } = current.config;
      return { ...current, config };
    });
  }
  return { adopted: names, failed };
}

async function succeed(stack: string, names: string[], flags: string[]): Promise<void> {
  const request = { names, flags, stack, yes: true, aside: true };
  const { exitCode } = await operate({ operation: "up", ...request });
  if (exitCode === EXIT.ok) return;
  throw new Fault("`up` did not go through, so the adoption is not finished", {
    remedy: "Mend what it says above, then run the same command again: it goes on from here.",
    exitCode,
  });
}

async function mark(client: IncusClient, { instance, inputs, moves }: Adoption): Promise<void> {
  const { project, name } = instance;
  const { owner, image, user } = inputs;
  await client.updateInstance(project, name, (current) => ({
    ...current,
    config: {
      ...current.config,
      ...adoptionMarks(owner, name, image, user),
      [MARK.adopting]:
        current.config[MARK.adopting] ?? (moves ? instance.status.toLowerCase() : IN_PLACE),
    },
  }));
}

/** Seconds that a clean stop may take. */
const STOP_SECONDS = 30;

/** Moves it where it has to be moved, and gives it the run state that it had before. */
async function bring(client: IncusClient, { instance, inputs, moves }: Adoption): Promise<void> {
  const { name } = instance;
  let { project } = instance;
  const { value: marked } = await client.getInstance(project, name);
  const before = marked.config[MARK.adopting];
  const ran = before === "running";
  try {
    if (moves) {
      await stopped(client, marked);
      note(`Moving ${name} from the Incus project ${project} to ${inputs.project}.`);
      await client.moveInstance(project, name, inputs.project);
      project = inputs.project;
    }
  } finally {
    // Also where the move failed: it goes on where it was.
    if (ran) await started(client, project, name);
  }
}

async function stopped(client: IncusClient, { project, name, status }: Instance): Promise<void> {
  if (status === "Stopped") return;
  note(`Stopping ${name}.`);
  if (status === "Frozen") await client.setInstanceState(project, name, { action: "unfreeze" });
  try {
    await client.setInstanceState(project, name, { action: "stop", timeout: STOP_SECONDS });
  } catch (error) {
    if (!(error instanceof TimedOut)) throw error;
    warn(`${name} did not stop in ${STOP_SECONDS} s, and is killed`);
    await client.setInstanceState(project, name, { action: "stop", force: true });
  }
}

async function started(client: IncusClient, project: string, name: string): Promise<void> {
  const { value } = await client.getInstance(project, name);
  if (value.status === "Running") return;
  note(`Starting ${name}.`);
  await client.setInstanceState(project, name, { action: "start" });
}
