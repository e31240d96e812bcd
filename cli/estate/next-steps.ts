// What one may try after the first `npm start`: three commands that can be copied as they are.

import { join, relative } from "node:path";
import { which } from "../../tools/which.js";
import { commandLine } from "../output/quote.ts";
import { colorsFor } from "../output/say.ts";
import { readRegistry } from "../preflight.ts";
import { readStackConfig, stackConfigFile } from "../pulumi/stack-config.ts";
import type { Setting } from "../setting.ts";
import type { Outputs } from "./outputs.ts";

export interface Step {
  does: string;
  command: string;
}

/** Steps for the first running container; none where nothing runs. */
export async function nextSteps(setting: Setting, outputs: Outputs): Promise<Step[]> {
  const entry = Object.entries(outputs.containers).find(([, { state }]) => state === "Running");
  if (!entry) return [];
  const [name] = entry;
  const config = await readStackConfig(stackConfigFile(setting.root, setting.stack));
  const { defaults } = await readRegistry(setting, config);
  const instance = `${config.remote ?? "local"}:${name}`;
  const incus = [...daemonOf(setting), "incus"];
  const inProject = ["--project", defaults.incusProject];
  const self = ownCommand(setting);
  const stack = ["--stack", setting.stack];
  return [
    {
      does: "Work in a container, as yourself and in the repository",
      command: commandLine([...self, "shell", name, ...stack]),
    },
    {
      does: "Change something behind Pulumi's back, and see it found",
      command: `${commandLine([...incus, "config", "set", instance, ...inProject, "limits.memory=96MiB"])} && ${commandLine([...self, "preview", ...stack, "--diff"])}`,
    },
    {
      does: "Take it all down; the repositories and their copies stay",
      command: commandLine([...self, "destroy", ...stack, "--yes"]),
    },
  ];
}

export function renderSteps(steps: readonly Step[]): string {
  const { dim, cyan } = colorsFor(process.stdout);
  return steps.map(({ does, command }) => `${dim(`# ${does}`)}\n${cyan(command)}`).join("\n\n");
}

/** The variable with which the incus client finds a daemon that is not the system's. */
function daemonOf({ variables }: Setting): string[] {
  return variables.INCUS_DIR ? ["env", `INCUS_DIR=${variables.INCUS_DIR}`] : [];
}

/** How this `repoman` is called from here: by name where PATH has it, else by its path. */
function ownCommand({ root }: Setting): string[] {
  const file = join(root, "bin", "repoman");
  if (which("repoman", process.env.PATH) === file) return ["repoman"];
  const near = relative(process.cwd(), file);
  return [near.startsWith("..") ? file : near];
}
