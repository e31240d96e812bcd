// The estate as it is now: the registry against the server, for whatever tells of it or mends it.

import type { Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { Forbidden, Unreachable } from "../../incus/errors.ts";
import type { Instance } from "../../incus/types.ts";
import type { Owner } from "../../providers/ownership.ts";
import { addressesOf } from "../../survey/addresses.ts";
import { type Reconciled, reconcile } from "../../survey/reconcile.ts";
import { carriedOut, readRenames, renamesFile } from "../../survey/renames.ts";
import { type HostFacts, lookAtHost, projectFacts, templatesOf } from "../../survey/survey.ts";
import { type Context, connectTo } from "../context.ts";
import type { Setting } from "../setting.ts";

export interface Live extends Reconciled {
  /** Those of the estate's Incus project; empty where the server did not answer. */
  instances: readonly Instance[];
  /** By instance name; only of those that run and have one. */
  addresses: ReadonlyMap<string, string>;
  host: HostFacts;
  owner: Owner;
  /** Why the server was not asked; whoever changes something throws it. */
  unreachable?: Fault;
}

export interface LiveOptions {
  /** A connection that the caller has and closes; else one is made for this. */
  client?: IncusClient | undefined;
}

/** In at most three requests to the server, connecting included. */
export async function lookAtEstate(context: Context, { client }: LiveOptions = {}): Promise<Live> {
  const { registry, library, config, setting } = context;
  const owner = { id: config.stackId ?? "", stack: setting.stack };
  const [server, host, uuids, renames] = await Promise.all([
    ask(context, client),
    lookAtHost(registry),
    uuidsInState(setting),
    readRenames(renamesFile(setting.stack, setting.env)),
  ]);
  const { instances = [], addresses = new Map(), unreachable } = server;
  const facts = projectFacts({
    registry,
    host,
    server: { instances },
    templates: templatesOf(library),
    stackId: owner.id,
  });
  for (const [name, formerName] of carriedOut(renames, registry)) {
    const known = facts.get(name);
    if (known) facts.set(name, { ...known, formerName });
  }
  return {
    ...reconcile({
      registry,
      facts,
      instances: server.instances,
      owner,
      uuids,
      ...(unreachable && { unreachable: unreachable.what }),
    }),
    instances,
    addresses,
    host,
    owner,
    ...(unreachable && { unreachable }),
  };
}

interface Answer {
  instances?: Instance[];
  addresses?: Map<string, string>;
  unreachable?: Fault & { what: string };
}

async function ask(context: Context, given: IncusClient | undefined): Promise<Answer> {
  let client = given;
  try {
    client ??= await connectTo(context);
    const { incusProject } = context.registry.defaults;
    const instances = await client.getInstances(incusProject, 1);
    return { instances, addresses: await addressesOf(client, incusProject, instances) };
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof Forbidden)) throw error;
    return { unreachable: error as Fault & { what: string } };
  } finally {
    if (!given) client?.close();
  }
}

/**
 * The uuids of the containers that Pulumi's state knows, by project. They find what was renamed or
 * lost its mark as a preview does; where the state is not a file here, the marks have to do.
 */
export async function uuidsInState({ backend, project, stack }: Setting) {
  const deployment = await backend?.deployment(project, stack).catch(() => undefined);
  return new Map(
    (deployment?.resources ?? []).flatMap(({ type, inputs, outputs }) => {
      const known = type.endsWith(":RepoContainer") && outputs?.uuid;
      return known ? [[String(inputs?.name), String(outputs.uuid)] as const] : [];
    }),
  );
}
