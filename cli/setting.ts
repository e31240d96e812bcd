import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { hostStack, paths } from "../host/paths.js";
import { reachBy } from "../host/reach.js";
import { incusEnv } from "../tools/incus/endpoint.js";
import { preparePulumi, pulumiVariables } from "../tools/pulumi-env.js";
import { ROOT } from "../tools/toolchain.js";
import { type FileBackend, fileBackend } from "./pulumi/backend.ts";

/** Where a command works: the project's folder, the stack, and the environment that Pulumi gets. */
export interface Setting {
  /** The project's folder. */
  root: string;
  /** The name in Pulumi.yaml. */
  project: string;
  stack: string;
  /** The whole environment of the processes that are started. */
  env: NodeJS.ProcessEnv;
  /** Those of its variables that a shell has to set in order to have the same. */
  variables: Record<string, string>;
  /** `$XDG_STATE_HOME/repoman/stacks/<stack>`: its id, locks and marks. */
  stackDir: string;
  /** Undefined where the state is not in a folder of this machine. */
  backend: FileBackend | undefined;
}

export interface SettingOptions {
  /** `--stack`; else `PULUMI_STACK`, else this host's. */
  stack?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** The project's folder; else `REPOMAN_ROOT`, else where this code lies. */
  root?: string | undefined;
}

/** @throws Fault (usage) for a stack name that Pulumi would refuse */
export function findSetting({
  stack,
  env = process.env,
  root = env.REPOMAN_ROOT || ROOT,
}: SettingOptions = {}): Setting {
  const name = stack ?? (env.PULUMI_STACK || hostStack());
  // It becomes part of file names. Pulumi itself takes a name with a dot in front, too.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name)) {
    throw new Fault(`${JSON.stringify(name)} is not a stack's name`, {
      remedy:
        "A name has letters, digits, hyphens, dots and underscores, at most 100. An organisation of Pulumi Cloud is chosen with `pulumi org set-default`.",
      exitCode: EXIT.usage,
    });
  }
  const variables = {
    ...pulumiVariables({ root, stack: name, env }),
    ...incusEnv(paths(env), env),
  };
  const whole = { ...env, ...variables };
  reachBy({ incusDir: variables.INCUS_DIR });
  preparePulumi(whole);
  return {
    root,
    project: projectName(join(root, "Pulumi.yaml")),
    stack: name,
    env: whole,
    variables,
    stackDir: join(paths(env).stateDir, "stacks", name),
    backend: fileBackend(whole.PULUMI_BACKEND_URL, root),
  };
}

/** A file named on the command line. */
export function namedFile(file: string | undefined): string | undefined {
  return file === undefined ? undefined : resolve(file);
}

/** Loading a YAML parser for one word would cost more than all else here. */
function projectName(file: string): string {
  const name = /^name:\s*["']?([\w.-]+)/m.exec(readFileSync(file, "utf8"))?.[1];
  if (!name)
    throw new Fault(`${file} does not name its project`, {
      remedy: "Its first line should be `name: repoman`.",
    });
  return name;
}
