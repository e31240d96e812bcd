// What one may try after the first `npm start`: three commands that can be copied as they are.

import { commandLine } from "../../host/command-line.js";
import { incusCommand, ownCommand, reachBy } from "../../host/reach.js";
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
  reachBy({ remote: config.remote });
  const inProject = ["--project", defaults.incusProject];
  const self = ownCommand();
  const stack = ["--stack", setting.stack];
  return [
    {
      does: "Work in a container, as yourself and in the repository",
      command: commandLine([...self, "shell", name, ...stack]),
    },
    {
      does: "Change something behind Pulumi's back, and see it found",
      command: `${incusCommand(["config", "set", name, ...inProject, "limits.memory=96MiB"])} && ${commandLine([...self, "preview", ...stack, "--diff"])}`,
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
