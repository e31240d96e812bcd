// IncusProfile: a profile of the library, in the Incus project `default`.
//
//   create   makes the profile; goes on with one that carries this stack's mark, shares one that
//            another stack made from the same template
//   read     description, config and devices: whatever the template does not name is drift
//   update   puts the template's content back, unless another stack relies on a different one
//   delete   takes this stack's mark off; the profile goes with the last mark, if nothing uses it

import type { CustomResourceOptions } from "@pulumi/pulumi/resource.js";
import { EXIT, Fault } from "../host/fault.js";
import type { IncusClient } from "../incus/client.ts";
import { ifThere, NotFound } from "../incus/errors.ts";
import type { Config, Profile } from "../incus/types.ts";
import { changed } from "./compare.ts";
import { mountPoints, ownParents } from "./container/parents.ts";
import { type Args, DynamicResource } from "./dynamic.ts";
import { guarded, refuse, warn } from "./engine.ts";
import {
  NOBODY,
  type Owner,
  onlyMarks,
  profileMark,
  profileOwners,
  withoutMarks,
} from "./ownership.ts";
import { digest, type ProfileContent, profileConflict, TEMPLATE } from "./profile-claim.ts";
import { server } from "./server.ts";

export interface ProfileInputs extends ProfileContent {
  /** A remote of the incus client's configuration; empty for the local daemon. */
  remote: string;
  name: string;
  owner: Owner;
}

async function live(client: IncusClient, name: string): Promise<Profile | undefined> {
  return (await ifThere(client.getProfile(name)))?.value;
}

export const handlers = guarded<ProfileInputs, ProfileInputs>("profile", {
  async check(olds, news) {
    if (olds.name !== undefined) return { inputs: news };
    const existing = await live(await server(news.remote), news.name);
    const reason = existing && profileConflict(news, existing);
    return reason ? refuse("profile", news, reason) : { inputs: news };
  },

  async diff(_id, olds, news) {
    const replaces = changed(olds, news, ["name", "remote"]);
    const updates = changed(olds, news, ["description", "config", "devices", "owner"]);
    return { changes: replaces.length + updates.length > 0, replaces };
  },

  async create(inputs) {
    const client = await server(inputs.remote);
    const existing = await live(client, inputs.name);
    if (existing) {
      const reason = profileConflict(inputs, existing);
      if (reason) throw new Fault(reason, { exitCode: EXIT.conflict });
      await apply(client, inputs);
    } else {
      const { name, description, devices } = inputs;
      await client.createProfile({ name, description, devices, config: stored(inputs, {}) });
    }
    return { id: inputs.name, outs: inputs };
  },

  async read(id, state) {
    const profile = await live(await server(state.remote), state.name);
    if (!profile) return { id: "" };
    const own = profileOwners(profile.config).has(state.owner.id);
    const inputs = {
      remote: state.remote,
      name: state.name,
      description: profile.description,
      config: withoutMarks(profile.config),
      devices: profile.devices,
      owner: own ? state.owner : NOBODY,
    };
    return { id, inputs, props: inputs };
  },

  async update(_id, _olds, news) {
    const client = await server(news.remote);
    const existing = await live(client, news.name);
    // A profile that lost every mark while it is in this stack's state is drift, not a conflict.
    const reason =
      existing && profileOwners(existing.config).size > 0 && profileConflict(news, existing);
    if (reason) throw new Fault(reason, { exitCode: EXIT.conflict });
    await apply(client, news);
    if (existing) {
      const known = mountPoints(existing.devices);
      const plugged = mountPoints(news.devices).filter((path) => !known.includes(path));
      await ownParents(client, existing.used_by ?? [], plugged);
    }
    return { outs: news };
  },

  async delete(_id, state) {
    const client = await server(state.remote);
    const profile = await live(client, state.name);
    const owners = profile && profileOwners(profile.config);
    if (!profile || !owners?.has(state.owner.id)) return;
    const users = (profile.used_by ?? []).filter((url) => !url.startsWith("/1.0/profiles/"));
    if (owners.size > 1 || users.length > 0) {
      await release(client, state, owners.size === 1);
      if (owners.size > 1) return;
      await warn(
        `profile "${state.name}" stays on the server: it is still used by ` +
          users.map((url) => url.replace("/1.0/", "")).join(", "),
      );
      return;
    }
    try {
      await client.deleteProfile(state.name);
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
    }
  },
});

/** The config to write: the template's, this stack's mark and the marks of the others. */
function stored(inputs: ProfileInputs, current: Config): Config {
  return {
    ...onlyMarks(current),
    ...inputs.config,
    [profileMark(inputs.owner)]: inputs.owner.stack,
    [TEMPLATE]: digest(inputs),
  };
}

async function apply(client: IncusClient, inputs: ProfileInputs): Promise<void> {
  await client.updateProfile(inputs.name, (current) => ({
    ...current,
    description: inputs.description,
    config: stored(inputs, current.config),
    devices: inputs.devices,
  }));
}

/** Takes this stack's mark off, and with the last one the template's as well. */
async function release(client: IncusClient, state: ProfileInputs, last: boolean): Promise<void> {
  await client.updateProfile(state.name, (current) => {
    const { [profileMark(state.owner)]: _mark, ...rest } = current.config;
    const { [TEMPLATE]: _template, ...bare } = rest;
    return { ...current, config: last ? bare : rest };
  });
}

export class IncusProfile extends DynamicResource {
  constructor(name: string, args: Args<ProfileInputs>, opts: CustomResourceOptions) {
    super("profile", "IncusProfile", name, args, [], opts);
  }
}
