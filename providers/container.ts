// RepoContainer: the container of one repository.
//
//   create   makes it, starts it, makes the user inside and proves that the repository is writable;
//            finishes one that carries this stack's mark; makes way for a changed image
//   read     everything that the registry can name, as it is on the server: the rest is drift
//   update   config, devices, profiles, description, name and run state, in place
//   delete   the container, if it still carries this stack's mark, and nothing outside of it
//
// The steps are in `container/`.

import type { Output } from "@pulumi/pulumi/output.js";
import type { CustomResourceOptions } from "@pulumi/pulumi/resource.js";
import { EXIT, exitCodeOf, Fault } from "../host/fault.js";
import type { IncusClient } from "../incus/client.ts";
import type { Instance } from "../incus/types.ts";
import { conflict, create, make, putBack, remove } from "./container/create.ts";
import { differing } from "./container/differences.ts";
import type { ContainerArgs, ContainerInputs, ContainerState } from "./container/inputs.ts";
import {
  addressOf,
  exempt,
  findOwn,
  inputsFrom,
  isHalfMade,
  stateFrom,
  uuidOf,
} from "./container/live.ts";
import { awaitAddress } from "./container/run.ts";
import { keysForRestart, restartNotice, update } from "./container/update.ts";
import { type Args, DynamicResource } from "./dynamic.ts";
import { guarded, refuse, warn } from "./engine.ts";
import { describeOwner, isOthers, isOwn, MARK } from "./ownership.ts";
import { forget, instancesOf, listing, server } from "./server.ts";
import { type Circumstances, failFor, leftAsItIs, type Troubled } from "./trouble.ts";

type Checked = Troubled<ContainerInputs>;

/** An instance on a cluster member that is down is listed with this status, and cannot be read. */
const MEMBER_DOWN = "Error";

export const handlers = guarded<Checked, ContainerState>("container", {
  async check(olds, news) {
    const { dryRun, fault, ...wanted } = news as Checked & Circumstances;
    const inputs = { ...wanted, ready: true };
    if (fault !== undefined) return leftAsItIs(olds, inputs, { dryRun, fault });
    if (olds.name !== undefined) return { inputs: exempt(olds, inputs) };
    const instances = await listing(await server(news.remote)).instances(news.project);
    const reason = conflict(
      inputs,
      instances.find(({ name }) => name === news.name),
    );
    return reason ? refuse("container", inputs, reason) : { inputs };
  },

  async diff(_id, olds, news) {
    if (news.fault !== undefined) return { changes: true };
    const { replaces, updates } = differing(olds, news);
    const waiting = keysForRestart(olds.config, news.config);
    if (waiting.length > 0 && replaces.length === 0 && olds.state === "Running" && !news.restart) {
      await warn(restartNotice(news.name, waiting));
    }
    return { changes: replaces.length + updates.length > 0, replaces };
  },

  async create({ fault, ...inputs }) {
    failFor(fault);
    const client = await server(inputs.remote);
    forget(client);
    return keepHalfMade(client, inputs, async () => create(client, inputs));
  },

  async read(id, state) {
    const client = await server(state.remote);
    const instance = findOwn(await listing(client).instances(state.project), state);
    if (!instance) return { id: "" };
    if (instance.status === MEMBER_DOWN) {
      await warn(
        `container "${state.name}": its cluster member ${instance.location} is out of reach`,
      );
      const { uuid: _uuid, state: _state, ipv4: _ipv4, ...inputs } = state;
      return { id, inputs, props: state };
    }
    if (isOthers(instance.config, state.owner)) await warn(leftToOthers(instance));
    const inputs = inputsFrom(instance, state);
    return { id, inputs, props: await stateFrom(client, instance, inputs) };
  },

  async update(_id, olds, news) {
    failFor(news.fault);
    const client = await server(news.remote);
    forget(client);
    let instance = findOwn(await instancesOf(client, news.project), olds);
    if (!instance) {
      throw new Fault(`container "${news.name}" vanished while it was being updated`, {
        remedy: "Run again: it will be made anew.",
      });
    }
    if (isOthers(instance.config, news.owner)) {
      throw new Fault(leftToOthers(instance), {
        remedy:
          "Take the project out of the registry, or let its stack let it go first:\n" +
          `incus config unset --project ${instance.project} ${instance.name} ${MARK.stack}`,
        exitCode: EXIT.conflict,
      });
    }
    if (instance.config[MARK.aside]) {
      await putBack(client, news, uuidOf(instance));
      ({ value: instance } = await client.getInstance(news.project, news.name));
    }
    if (isHalfMade(instance) && isOwn(instance.config, news.owner)) {
      await remove(client, instance);
      return { outs: await outputs(client, await make(client, news), news, false) };
    }
    const wasRunning = instance.status === "Running";
    return { outs: await outputs(client, await update(client, news, instance), news, wasRunning) };
  },

  async delete(_id, state) {
    const client = await server(state.remote);
    forget(client);
    const instance = findOwn(await instancesOf(client, state.project), state);
    if (!instance) return;
    if (isOwn(instance.config, state.owner)) await remove(client, instance);
    else await warn(leftToOthers(instance));
  },
});

/** What is said of the instance of a state whose mark was taken off, or made another stack's. */
function leftToOthers({ project, name, config }: Instance): string {
  const owner = config[MARK.stack] ? describeOwner(config) : "its mark was taken off";
  return `the instance "${name}" in the Incus project "${project}" stays as it is: ${owner}`;
}

/** @param wasRunning whether it ran before: only a container that was just started gets an address soon */
async function outputs(
  client: IncusClient,
  instance: Instance,
  inputs: ContainerInputs,
  wasRunning: boolean,
): Promise<ContainerState> {
  forget(client);
  const ipv4 = wasRunning
    ? await addressOf(client, instance)
    : await awaitAddress(client, instance);
  return { ...inputs, uuid: uuidOf(instance), state: instance.status, ipv4 };
}

/** The id that Pulumi keeps; the uuid in the state is what tells an old container from a new one. */
function idOf({ project, name }: ContainerInputs): string {
  return `${project}/${name}`;
}

/**
 * A creation that fails after the instance exists leaves it in the state as half-made, so that the
 * next run finishes it, and `destroy` finds it.
 */
async function keepHalfMade(
  client: IncusClient,
  inputs: ContainerInputs,
  run: () => Promise<Instance>,
): Promise<{ id: string; outs: ContainerState }> {
  try {
    return { id: idOf(inputs), outs: await outputs(client, await run(), inputs, false) };
  } catch (error) {
    const instances = await instancesOf(client, inputs.project).catch(() => []);
    const half = findOwn(instances, { name: inputs.name, owner: inputs.owner });
    if (!half || half.config[MARK.image] !== inputs.image) throw error;
    const state = await stateFrom(client, half, inputsFrom(half, inputs));
    const reason = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Fault(reason, { exitCode: exitCodeOf(error), cause: error }), {
      id: idOf(inputs),
      properties: { ...state, __provider: (inputs as { __provider?: string }).__provider },
      reasons: [reason],
    });
  }
}

export class RepoContainer extends DynamicResource {
  declare readonly state: Output<string>;
  declare readonly ipv4: Output<string | null>;
  declare readonly image: Output<string>;
  declare readonly profiles: Output<string[]>;

  constructor(
    name: string,
    args: Args<ContainerArgs & Circumstances>,
    opts: CustomResourceOptions,
  ) {
    super("container", "RepoContainer", name, args, ["uuid", "state", "ipv4", "ready"], opts);
  }
}
