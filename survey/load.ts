import { connect } from "../incus/client.ts";
import type { Owner } from "../providers/ownership.ts";
import { loadEstate } from "../registry/estate.ts";
import { VENDOR_PROFILES } from "../registry/profiles.ts";
import type { Library, Registry } from "../registry/types.ts";
import { carriedOut, readRenames, renamesFile, withFormerNames } from "./renames.ts";
import { type Survey, survey, templatesOf } from "./survey.ts";

export interface Loaded {
  registry: Registry;
  library: Library;
  survey: Survey;
}

/**
 * The registry, the library of profiles and the facts of the host: all that composition needs.
 *
 * @param file the registry
 * @param remote of the incus client's configuration; empty for the local daemon
 * @param owner the stack, by whose id is known what it made
 * @throws RegistryFault with every problem of registry and library at once
 * @throws Unreachable where the server does not answer, which says nothing about what is there
 */
export async function load(file: string, remote: string, owner: Owner): Promise<Loaded> {
  const { registry, library } = await loadEstate({ file, vendorDir: VENDOR_PROFILES });
  const client = await connect({ remote });
  try {
    const templates = templatesOf(library);
    const found = await survey({ client, registry, templates, stackId: owner.id });
    const former = carriedOut(await readRenames(renamesFile(owner.stack)), registry);
    return { registry, library, survey: withFormerNames(found, former) };
  } finally {
    client.close();
  }
}
