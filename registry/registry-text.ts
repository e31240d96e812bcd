import { EXIT, Fault } from "../host/fault.js";
import { RegistryMissing } from "./fault.ts";
import { readText } from "./read.ts";
import { printable } from "./text.ts";

const MOST = 16 * 1024 * 1024;

/**
 * The registry's file as it is.
 *
 * @throws RegistryMissing
 * @throws Fault (environment) where it cannot be read
 */
export async function readRegistryText(file: string): Promise<string> {
  const reading = await readText(file, { most: MOST, links: true });
  if ("text" in reading) return reading.text;
  if ("missing" in reading) throw new RegistryMissing(file);
  throw new Fault(`the registry ${printable(file)} ${reading.refused}`, {
    remedy: "mend the file, or name another with --registry",
    exitCode: EXIT.environment,
  });
}
