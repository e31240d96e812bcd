// Where a stack's registry is, without reading it: for what has to work on one that is broken.

import { EXIT, Fault } from "../../host/fault.js";
import { RegistryMissing } from "../../registry/fault.ts";
import { readText } from "../../registry/read.ts";
import { printable } from "../../registry/text.ts";
import { registryFile } from "../preflight.ts";
import { readStackConfig, stackConfigFile } from "../pulumi/stack-config.ts";
import { findSetting, type Setting } from "../setting.ts";

const MOST = 16 * 1024 * 1024;

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

/**
 * @throws RegistryMissing
 * @throws Fault (environment) where it cannot be read
 */
export async function readRegistryText(file: string): Promise<string> {
  const reading = await readText(file, { most: MOST, links: true });
  if ("text" in reading) return reading.text;
  if ("missing" in reading) throw new RegistryMissing(file);
  throw new Fault(`the registry ${printable(file)} ${reading.refused}`, {
    remedy: "Mend the file.",
    exitCode: EXIT.environment,
  });
}
