// The marks that say who made an object on the server. They are read from an object's own config,
// never from an instance's `expanded_config`, where those of its profiles appear as well.

import { isOwnKey, OWN_PREFIX } from "../incus/keys.ts";
import type { Config } from "../incus/types.ts";

/** The stack on whose behalf a resource acts. */
export interface Owner {
  /** The stack's random id; a host's name is no identity, since root and a user share it. */
  id: string;
  /** The stack's name, for messages. */
  stack: string;
}

/** Whether a text can be a stack's id: it is a mark on the server, and part of file names. */
export function isStackId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9-]{7,63}$/.test(text);
}

/** What `read` says of an object whose mark was taken off: a drift that `update` mends. */
export const NOBODY: Owner = { id: "", stack: "" };

/** Keys of an object that belongs to one stack: projects and instances. */
export const MARK = {
  stack: `${OWN_PREFIX}stack`,
  stackName: `${OWN_PREFIX}stack-name`,
  /** The name in the registry; survives a rename of the instance. */
  name: `${OWN_PREFIX}name`,
  /** The image as it was declared: that an alias moved on the server is not drift. */
  image: `${OWN_PREFIX}image`,
  /** Set once the user inside was made and proved: `<name>:<uid>:<gid>`. */
  ready: `${OWN_PREFIX}ready`,
  /** From creation until the user inside was made: nobody has worked in it yet. */
  making: `${OWN_PREFIX}making`,
  /**
   * While an instance is being adopted: the run state that it had before it was moved, or `in-place`.
   * Until that is done, nothing removes it as this stack's.
   */
  adopting: `${OWN_PREFIX}adopting`,
  /** On an instance that stands aside while its replacement is made: its run state before. */
  aside: `${OWN_PREFIX}aside`,
} as const;

export function marks(owner: Owner, name: string): Config {
  return { [MARK.stack]: owner.id, [MARK.stackName]: owner.stack, [MARK.name]: name };
}

export function isOwn(config: Config, owner: Pick<Owner, "id">): boolean {
  return config[MARK.stack] === owner.id;
}

/** Whether an object carries the mark of another stack. One that carries none was perhaps ours. */
export function isOthers(config: Config, owner: Pick<Owner, "id">): boolean {
  return config[MARK.stack] !== undefined && !isOwn(config, owner);
}

/** Who made an object that is not ours, for a message. */
export function describeOwner(config: Config): string {
  const name = config[MARK.stackName];
  return config[MARK.stack]
    ? `it belongs to the stack "${name ?? "?"}" (id ${config[MARK.stack]})`
    : "repoman did not make it";
}

/** Why a stack cannot have an Incus project that is there, if it cannot. */
export function projectConflict(
  name: string,
  config: Config,
  owner: Owner,
): { what: string; remedy: string } | undefined {
  if (isOwn(config, owner)) return undefined;
  return {
    what: `the Incus project "${name}" exists and ${describeOwner(config)}`,
    remedy:
      "Choose another name (incus_project in the registry's [defaults]), or hand it to this stack:\n" +
      `incus project set ${name} ${MARK.stack}=${owner.id}`,
  };
}

/** A profile may serve several stacks; each has a key of its own, so that none edits another's. */
export function profileMark(owner: Owner): string {
  return `${MARK.stack}.${owner.id}`;
}

/** The stacks that a profile serves: id → name. */
export function profileOwners(config: Config): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith(`${MARK.stack}.`)) owners.set(key.slice(MARK.stack.length + 1), value);
  }
  return owners;
}

/** A config without repoman's own keys: what a registry or a template can name. */
export function withoutMarks(config: Config): Config {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !isOwnKey(key)));
}

/** Only repoman's own keys. */
export function onlyMarks(config: Config): Config {
  return Object.fromEntries(Object.entries(config).filter(([key]) => isOwnKey(key)));
}
