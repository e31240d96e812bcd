// The library of profiles as its commands see it: all of it, also what cannot be used on this host.

import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { paths } from "../../host/paths.js";
import { readLibrary, VENDOR_PROFILES } from "../../registry/profiles.ts";
import type { Facts } from "../../registry/substitute.ts";
import { nearest, quote } from "../../registry/text.ts";
import type { Library, Template } from "../../registry/types.ts";
import { type Context, readContext } from "../context.ts";
import { chooseOne } from "../estate/choose.ts";

export interface Profiles {
  context: Context;
  /** Usable on this host. */
  usable: Library;
  /** Every one; a variable that has no value here stays as it is written. */
  all: Library;
  /** `profiles.d` beside the registry; it need not exist. */
  userDir: string;
  facts: Facts;
}

/** Stands for itself. */
const UNKNOWN_ADDRESS = "${HOST_LAN_IP}";

/** @throws RegistryFault, RegistryMissing */
export async function readProfiles(stack: string | undefined, tolerant = false): Promise<Profiles> {
  const context = await readContext({ stack, tolerant });
  const { env } = context.setting;
  const facts = {
    lanIp: context.registry.lanIp,
    user: env.USER || userInfo().username,
    home: paths(env).home,
  };
  const userDir = join(dirname(context.file), "profiles.d");
  const all = await readAll(facts, userDir);
  return { context, usable: context.library, all, userDir, facts };
}

/** Those that come with repoman, whether the user's own hide them or not. */
export function readVendor({ facts }: Profiles): Promise<Library> {
  return readAll(facts, undefined);
}

async function readAll(facts: Facts, userDir: string | undefined): Promise<Library> {
  const known = { ...facts, lanIp: facts.lanIp || UNKNOWN_ADDRESS };
  const { library } = await readLibrary({ vendorDir: VENDOR_PROFILES, userDir, facts: known });
  return library;
}

/** `vendor`, `user`, or `user (shadows vendor)`. */
export function sourceOf({ source, shadows }: Template): string {
  return shadows ? "user (shadows vendor)" : source;
}

/**
 * The profile that was named, else one of the library that is chosen at the terminal.
 *
 * @param verb for the question: "Show"
 * @throws Fault (usage) where none was named and nobody can be asked
 */
export async function chooseProfile(
  { all }: Profiles,
  name: string | undefined,
  verb: string,
): Promise<string> {
  return chooseOne(name, {
    names: [...all.keys()],
    question: `${verb} which one?`,
    what: "profile",
  });
}

/** @throws Fault (usage) that names the nearest */
export function requireTemplate({ all, userDir }: Profiles, name: string): Template {
  const template = all.get(name);
  if (template) return template;
  const near = nearest(name, all.keys());
  throw new Fault(`there is no profile ${quote(name)} in the library`, {
    remedy: `${near ? `Did you mean ${near}? ` : ""}It has: ${[...all.keys()].join(", ")}. Your own go to ${userDir}.`,
    exitCode: EXIT.usage,
  });
}

/**
 * The template as it is put on the server.
 *
 * @throws Fault (environment) where a fact of this host is missing
 */
export function requireUsable(profiles: Profiles, name: string): Template {
  requireTemplate(profiles, name);
  const template = profiles.usable.get(name);
  if (template) return template;
  throw unresolvable(profiles, name);
}

export function unresolvable({ usable }: Profiles, name: string): Fault {
  const fault = usable.faults.get(name);
  const what = fault?.what ?? `profile ${quote(name)} cannot be used on this host`;
  const remedy = fault?.what.includes("HOST_LAN_IP")
    ? "`repoman setup` finds the host's address, or set lan_ip in [host] of the registry."
    : (fault?.remedy ?? "Mend its file.");
  return new Fault(what, { remedy, exitCode: EXIT.environment });
}
