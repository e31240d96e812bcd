import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { connect } from "../incus/client.ts";
import { problemLine, RegistryFault } from "../registry/fault.ts";
import { readRegistry } from "../registry/load.ts";
import { readLibrary } from "../registry/profiles.ts";
import type { Library, Registry } from "../registry/types.ts";
import { type Survey, survey } from "./survey.ts";

/** The profiles that come with repoman. */
const VENDOR_PROFILES = join(import.meta.dirname, "..", "profiles");

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
 * @param stackId the mark of what this stack made
 * @throws RegistryFault with every problem of registry and library at once
 * @throws Unreachable where the server does not answer, which says nothing about what is there
 */
export async function load(file: string, remote: string, stackId: string): Promise<Loaded> {
  const [{ registry, problems }, client] = await Promise.all([
    readRegistry({ file }),
    connect({ remote }),
  ]);
  try {
    const { library, problems: ofProfiles } = await readLibrary({
      vendorDir: VENDOR_PROFILES,
      userDir: join(dirname(file), "profiles.d"),
      facts: {
        lanIp: registry.lanIp,
        user: process.env.USER || userInfo().username,
        home: process.env.HOME || userInfo().homedir,
      },
    });
    const all = [...problems, ...ofProfiles];
    if (all.length > 0) throw new RegistryFault(all);
    const faults = [...library.faults].map(([name, fault]) => [name, problemLine(fault)] as const);
    const templates = { names: new Set(library.keys()), faults: new Map(faults) };
    return { registry, library, survey: await survey({ client, registry, templates, stackId }) };
  } finally {
    client.close();
  }
}
