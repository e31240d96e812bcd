import { Fault } from "../../host/fault.js";
import { capturePulumi } from "../pulumi/run.ts";
import type { Setting } from "../setting.ts";

/** One container as the stack's outputs tell of it; what is not known yet is absent or null. */
export interface ContainerOutput {
  state?: string | null;
  ipv4?: string | null;
  image?: string | null;
  profiles?: string[] | null;
  /** Absolute path on the host. */
  repo?: string | null;
  /** Absolute path inside. */
  path?: string | null;
}

export interface BackupOutput {
  /** RFC 3339 */
  lastSync?: string | null;
  result?: string | null;
}

export interface Outputs {
  /** Empty where not all are known: after an `up` of only some, on a host that had none. */
  containers: Record<string, ContainerOutput>;
  backups: Record<string, BackupOutput>;
  orphans: string[];
}

/** What the last `up` said of the estate. */
export async function readOutputs(setting: Setting): Promise<Outputs> {
  const args = ["stack", "output", "--json", "--stack", setting.stack, "--non-interactive"];
  const { code, stdout, stderr } = await capturePulumi(setting, args);
  if (code !== 0) {
    throw new Fault(`the stack "${setting.stack}" does not tell what it has`, {
      remedy: stderr.replace(/^error: /, "").trim() || `pulumi stack output exited with ${code}`,
    });
  }
  const { containers, backups, orphans } = JSON.parse(stdout) as Record<string, unknown>;
  return { containers: known(containers), backups: known(backups), orphans: known(orphans, []) };
}

/** What Pulumi does not know yet it stores as a string, whatever it will be. */
function known<T extends object>(value: unknown, otherwise = {} as T): T {
  return typeof value === "object" && value !== null ? (value as T) : otherwise;
}
