// Taking objects that are there into Pulumi's state, without anything being read or changed: the
// next preview compares them like any other.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../../host/fault.js";
import type { ContainerState } from "../../providers/container/inputs.ts";
import { providerSource } from "../../providers/dynamic.ts";
import type { Setting } from "../setting.ts";
import { type Deployment, WORKSPACE } from "./backend.ts";
import { clearCutOff, lockStack, markRunning, unmarkRunning } from "./cut-off.ts";
import { capturePulumi } from "./run.ts";
import { readDeployment } from "./stack.ts";
import { targetFlags } from "./targets.ts";

const CONTAINER = "pulumi-nodejs:dynamic/repoman:RepoContainer";

/** Whether `up` has made what stands above the containers: the estate, and its Incus project. */
export async function hasEstate(setting: Setting): Promise<boolean> {
  const { resources = [] } = (await readDeployment(setting)) ?? {};
  return ["repoman:index:Estate", "pulumi-nodejs:dynamic/repoman:IncusProject"].every((wanted) =>
    resources.some(({ type }) => type === wanted),
  );
}

/**
 * Takes containers into the state, each with its workspace. One that is there already is left.
 *
 * @param containers complete outputs, as `create` would return them
 * @throws Fault with Pulumi's own words
 */
export async function importContainers(
  setting: Setting,
  stackId: string,
  containers: readonly ContainerState[],
): Promise<void> {
  const lock = lockStack(setting, "adopt");
  try {
    await clearCutOff(setting, stackId);
    const deployment = (await readDeployment(setting)) ?? {};
    const wanted = containers.filter(({ name }) => !urnOf(deployment, CONTAINER, name));
    if (wanted.length === 0) return;
    await markRunning(setting, "adopt");
    await runImport(setting, importFile(deployment, wanted));
    await unmarkRunning(setting);
  } finally {
    lock.release();
  }
}

/** What `pulumi import --file` reads. Names in it are only its own; URNs come of `logicalName`. */
export function importFile(deployment: Deployment, containers: readonly ContainerState[]) {
  const estate = deployment.resources?.find(({ type }) => type === "repoman:index:Estate")?.urn;
  if (estate === undefined)
    throw new Fault("Pulumi's state has no estate", { remedy: "repoman up" });
  const nameTable: Record<string, string> = { estate };
  const __provider = providerSource("container");
  const resources = containers.flatMap((state) => {
    const { name, project, uuid: _uuid, state: _state, ipv4: _ipv4, ...more } = state;
    const workspace = `workspace-${name}`;
    const there = urnOf(deployment, WORKSPACE, name);
    if (there !== undefined) nameTable[workspace] = there;
    const component = {
      type: WORKSPACE,
      name: workspace,
      logicalName: name,
      component: true,
      parent: "estate",
    };
    return [
      ...(there === undefined ? [component] : []),
      {
        type: CONTAINER,
        name: `container-${name}`,
        logicalName: name,
        id: `${project}/${name}`,
        parent: workspace,
        inputs: { ...more, name, project, __provider },
        outputs: { ...state, __provider },
      },
    ];
  });
  return { nameTable, resources };
}

function urnOf({ resources = [] }: Deployment, type: string, name: string): string | undefined {
  return resources.find((each) => each.type === type && each.urn.endsWith(`::${name}`))?.urn;
}

async function runImport(setting: Setting, content: object): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "repoman-import-"));
  try {
    const file = join(folder, "import.json");
    await writeFile(file, JSON.stringify(content), { mode: 0o600 });
    const { code, stdout, stderr } = await capturePulumi(setting, [
      "import",
      "--stack",
      setting.stack,
      "--file",
      file,
      "--yes",
      "--skip-preview",
      "--protect=false",
      "--generate-code=false",
      "--non-interactive",
    ]);
    if (code === 0) return;
    throw new Fault("Pulumi did not take the containers into its state", {
      remedy: (stderr.trim() || stdout.trim()).replace(/^error: /gm, ""),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Whether a preview of just these containers plans nothing.
 *
 * @returns what Pulumi would do, in its own words; undefined where that is nothing
 */
export async function plannedFor(
  setting: Setting,
  names: readonly string[],
): Promise<string | undefined> {
  const targets = names.map((name) => `**dynamic/repoman:RepoContainer::${name}`);
  const { code, stdout, stderr } = await capturePulumi(setting, [
    "preview",
    "--stack",
    setting.stack,
    "--expect-no-changes",
    "--diff",
    "--non-interactive",
    "--color=never",
    ...targetFlags(targets),
  ]);
  return code === 0 ? undefined : `${stdout}${stderr}`.trim();
}
