// What most commands begin with: the stack, and the registry and the library that it follows.

import { reachBy } from "../host/reach.js";
import type { IncusClient } from "../incus/client.ts";
import { RegistryFault } from "../registry/fault.ts";
import type { Library, Problem, Registry } from "../registry/types.ts";
import { dropIgnoredVariables, registryFile } from "./preflight.ts";
import { readStackConfig, type StackConfig, stackConfigFile } from "./pulumi/stack-config.ts";
import { findSetting, type Setting } from "./setting.ts";

export interface Context {
  setting: Setting;
  /** As it is recorded; without a `stackId` where the stack was never made. */
  config: StackConfig;
  /** Absolute path of the registry. */
  file: string;
  registry: Registry;
  library: Library;
  /** Everything that is wrong with registry and library; empty unless it was tolerated. */
  problems: Problem[];
}

export interface ContextOptions {
  stack?: string | undefined;
  /** Whether to go on with a registry that has problems, for what shows them beside the rest. */
  tolerant?: boolean;
}

/**
 * Reads what the user declares, and asks the server nothing. No stack is made.
 *
 * @throws RegistryFault with all problems unless they are tolerated
 * @throws RegistryMissing where there is no registry
 */
export async function readContext({ stack, tolerant }: ContextOptions = {}): Promise<Context> {
  const setting = findSetting({ stack });
  dropIgnoredVariables(setting.env);
  const config = await readStackConfig(stackConfigFile(setting.root, setting.stack));
  reachBy({ remote: config.remote });
  const file = registryFile(setting, config);
  const [{ readEstate }, { VENDOR_PROFILES }] = await Promise.all([
    import("../registry/estate.ts"),
    import("../registry/profiles.ts"),
  ]);
  const read = await readEstate({ file, env: setting.env, vendorDir: VENDOR_PROFILES });
  if (!tolerant && read.problems.length > 0) throw new RegistryFault(read.problems);
  return { setting, config, file, ...read };
}

/**
 * The stack's server.
 *
 * @throws Unreachable, Forbidden: Faults (environment) that name it
 */
export async function connectTo({ config, setting }: Context): Promise<IncusClient> {
  const { connect } = await import("../incus/client.ts");
  return connect({ remote: config.remote, env: setting.env });
}
