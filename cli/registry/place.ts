// Where a stack's registry is, without reading it: for what has to work on one that is broken.

import { registryFile } from "../preflight.ts";
import { readStackConfig, stackConfigFile } from "../pulumi/stack-config.ts";
import { findSetting, type Setting } from "../setting.ts";

export interface Place {
  setting: Setting;
  /** Absolute; perhaps a link, perhaps not there. */
  file: string;
}

export async function findRegistry(stack: string | undefined): Promise<Place> {
  const setting = findSetting({ stack });
  const config = await readStackConfig(stackConfigFile(setting.root, setting.stack));
  return { setting, file: registryFile(setting, config) };
}
