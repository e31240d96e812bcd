// What can be found out quickly is found out before Pulumi starts: it says so in one message,
// where Pulumi's would be in the midst of its own output.

import { resolve } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { expandHome, paths } from "../host/paths.js";
import { nearest } from "../registry/text.ts";
import type { Registry } from "../registry/types.ts";
import { note } from "./output/say.ts";
import type { StackConfig } from "./pulumi/stack-config.ts";
import type { Setting } from "./setting.ts";

/** A daemon that is only slow is asked again, with more patience, by the client itself. */
const QUICK_ANSWER_MS = 5_000;

/**
 * Asks the server whether it is there.
 *
 * @param remote `repoman:remote` of the stack's config
 * @throws Unreachable, Forbidden: Faults (environment) that name the server
 */
export async function requireIncus(
  remote: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (remote === undefined || remote === "local") {
    const { locate, probe } = await import("../tools/incus/endpoint.js");
    const { state } = await probe(locate(paths(env), env).socket, QUICK_ANSWER_MS);
    if (state === "answers") return;
  }
  // The whole client takes three times as long to load as a local daemon to answer.
  const { connect } = await import("../incus/client.ts");
  (await connect({ remote, env })).close();
}

/** The registry that the stack follows: what its config names, else the user's own. */
export function registryFile({ root, env }: Setting, { registry }: StackConfig): string {
  const places = paths(env);
  return registry ? resolve(root, expandHome(registry, places.home)) : places.registry;
}

export async function readRegistry(setting: Setting, config: StackConfig): Promise<Registry> {
  const { loadRegistry } = await import("../registry/load.ts");
  return loadRegistry({ file: registryFile(setting, config), env: setting.env });
}

const IGNORED = ["INCUS_REMOTE", "INCUS_PROJECT"] as const;

/**
 * Says which variables of the incus client are not heeded (incus/endpoint.ts), and takes them out,
 * so that what is started need not say it again.
 */
export function dropIgnoredVariables(env: NodeJS.ProcessEnv): void {
  const names = IGNORED.filter((name) => env[name]);
  if (names.length === 0) return;
  note(
    `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} ignored: the stack's config names the remote (repoman:remote), the registry the project.`,
  );
  for (const name of names) delete env[name];
}

/** @throws Fault (usage) that names every unknown project, with the nearest known one */
export function requireNames(
  names: readonly string[],
  known: readonly string[],
  place: string,
): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const hints = unknown.flatMap((name) => nearest(name, known) ?? []);
  const list = known.length > 0 ? `It has: ${known.join(", ")}.` : "It has none.";
  throw new Fault(
    `${place} has no project ${unknown.map((name) => JSON.stringify(name)).join(" or ")}`,
    {
      remedy: hints.length > 0 ? `Did you mean ${hints.join(" ")}? ${list}` : list,
      exitCode: EXIT.usage,
    },
  );
}
