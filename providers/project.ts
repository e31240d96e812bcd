// IncusProject: the Incus project that holds the estate's instances.
//
//   create   makes the project, or goes on with one that carries this stack's mark
//   read     its description and its whole config, so that both show drift
//   update   puts both back
//   delete   refuses while something is inside that this stack did not make

import type { CustomResourceOptions } from "@pulumi/pulumi/resource.js";
import { EXIT, Fault } from "../host/fault.js";
import type { IncusClient } from "../incus/client.ts";
import { ifThere, NotFound } from "../incus/errors.ts";
import type { Config } from "../incus/types.ts";
import { changed } from "./compare.ts";
import { remove } from "./container/create.ts";
import { type Args, DynamicResource } from "./dynamic.ts";
import { guarded, refuse } from "./engine.ts";
import { FEATURES } from "./features.ts";
import {
  isOthers,
  isOwn,
  MARK,
  marks,
  NOBODY,
  type Owner,
  projectConflict,
  withoutMarks,
} from "./ownership.ts";
import { instancesOf, server } from "./server.ts";

export interface ProjectInputs {
  /** A remote of the incus client's configuration; empty for the local daemon. */
  remote: string;
  /** The project's name on the server. */
  name: string;
  description: string;
  owner: Owner;
}

export interface ProjectState extends ProjectInputs {
  /** The live config without repoman's own keys. */
  config: Config;
}

interface CheckedProject extends ProjectInputs {
  config: Config;
}

async function live(client: IncusClient, name: string) {
  return (await ifThere(client.getProject(name)))?.value;
}

function conflict({ name, owner }: ProjectInputs, config: Config): string | undefined {
  const found = projectConflict(name, config, owner);
  return found && [found.what, ...found.remedy.split("\n")].join("\n  ");
}

export const handlers = guarded<CheckedProject, ProjectState>("project", {
  async check(olds, news) {
    const inputs = { ...news, config: FEATURES };
    if (olds.name !== undefined) return { inputs };
    const client = await server(news.remote);
    const existing = await live(client, news.name);
    const reason = existing && conflict(news, existing.config);
    return reason ? refuse("project", inputs, reason) : { inputs };
  },

  async diff(_id, olds, news) {
    const replaces = changed(olds, news, ["name", "remote"]);
    const updates = changed(olds, news, ["description", "config", "owner"]);
    return { changes: replaces.length + updates.length > 0, replaces };
  },

  async create(inputs) {
    const client = await server(inputs.remote);
    const existing = await live(client, inputs.name);
    const reason = existing && conflict(inputs, existing.config);
    if (reason) throw new Fault(reason, { exitCode: EXIT.conflict });
    if (existing) {
      await apply(client, inputs);
    } else {
      await client.createProject({
        name: inputs.name,
        description: inputs.description,
        config: { ...inputs.config, ...marks(inputs.owner, inputs.name) },
      });
    }
    return { id: inputs.name, outs: inputs };
  },

  async read(id, state) {
    const client = await server(state.remote);
    const project = await live(client, state.name);
    if (!project) return { id: "" };
    const inputs = {
      remote: state.remote,
      name: state.name,
      owner: isOwn(project.config, state.owner) ? state.owner : NOBODY,
      description: project.description,
      config: withoutMarks(project.config),
    };
    return { id, inputs, props: inputs };
  },

  async update(_id, _olds, news) {
    const client = await server(news.remote);
    const existing = await live(client, news.name);
    // One that lost its mark while it is in this stack's state is drift, not a conflict.
    const reason =
      existing && isOthers(existing.config, news.owner) && conflict(news, existing.config);
    if (reason) throw new Fault(reason, { exitCode: EXIT.conflict });
    await apply(client, news);
    return { outs: news };
  },

  async delete(_id, state) {
    const client = await server(state.remote);
    let project = await live(client, state.name);
    if (!project || !isOwn(project.config, state.owner)) return;
    // A run that was killed may have left a container that no state knows of.
    const own = (await instancesOf(client, state.name)).filter(
      ({ config }) => isOwn(config, state.owner) && config[MARK.adopting] === undefined,
    );
    for (const instance of own) await remove(client, instance);
    if (own.length > 0) project = (await client.getProject(state.name)).value;
    const inside = (project.used_by ?? []).filter(
      (url) => !url.startsWith("/1.0/profiles/default"),
    );
    if (inside.length > 0) {
      throw new Fault(
        `the Incus project "${state.name}" still holds what this stack did not make: ` +
          inside.map((url) => url.replace("/1.0/", "").replace(/\?.*$/, "")).join(", "),
        { remedy: "Delete or move it, then run again. Nothing of it was touched." },
      );
    }
    try {
      await client.deleteProject(state.name);
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
    }
  },
});

async function apply(client: IncusClient, inputs: CheckedProject): Promise<void> {
  await client.updateProject(inputs.name, (current) => ({
    ...current,
    description: inputs.description,
    config: { ...inputs.config, ...marks(inputs.owner, inputs.name) },
  }));
}

export class IncusProject extends DynamicResource {
  constructor(name: string, args: Args<ProjectInputs>, opts: CustomResourceOptions) {
    super("project", "IncusProject", name, args, ["config"], opts);
  }
}
