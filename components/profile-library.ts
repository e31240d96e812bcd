import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi/resource.js";
import type { Owner } from "../providers/ownership.ts";
import { IncusProfile } from "../providers/profile.ts";
import type { ProfileChoice } from "../registry/profile-choice.ts";
import type { Template } from "../registry/types.ts";

export interface ProfileLibraryArgs {
  remote: string;
  owner: Owner;
  /** The templates to keep on the server, already narrowed to those that are wanted. */
  templates: Template[];
}

/** The profiles of the library that this stack keeps on the server. */
export class ProfileLibrary extends ComponentResource {
  readonly profiles: ReadonlyMap<string, IncusProfile>;

  constructor(name: string, args: ProfileLibraryArgs, opts: ComponentResourceOptions) {
    super("repoman:index:ProfileLibrary", name, {}, opts);
    const { remote, owner, templates } = args;
    this.profiles = new Map(
      templates.map(({ name, description, config, devices }) => [
        name,
        new IncusProfile(
          name,
          { remote, owner, name, description, config, devices },
          { parent: this },
        ),
      ]),
    );
    this.registerOutputs({});
  }
}

/** Every instance may rely on it, repoman's or not: referred to, never managed. */
const SERVERS_OWN = "default";

/**
 * Which templates a stack manages.
 * @param choice `referenced`, `all`, or names that are wanted beside those that projects refer to
 */
export function chosenTemplates(
  library: ReadonlyMap<string, Template>,
  choice: ProfileChoice,
  referenced: ReadonlySet<string>,
): Template[] {
  const wanted = (name: string) =>
    choice === "all" || referenced.has(name) || (Array.isArray(choice) && choice.includes(name));
  return [...library.values()].filter(({ name }) => name !== SERVERS_OWN && wanted(name));
}
