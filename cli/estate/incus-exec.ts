// The `incus` client's own `exec`: the terminal, its size, signals and the exit code are its affair.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { paths } from "../../host/paths.js";
import type { Instance } from "../../incus/types.ts";
import { MARK } from "../../providers/ownership.ts";
import type { Context } from "../context.ts";

/** One who has an account inside. */
export interface Inside {
  name: string;
  uid: number;
  gid: number;
  home: string;
  /** Absolute path of the login shell. */
  shell: string;
}

export interface ExecRequest {
  user?: Inside;
  /** Where it is not there, Incus takes `/`. */
  cwd?: string;
  environment?: Readonly<Record<string, string>>;
  /** The program and its arguments; no shell is involved. */
  command: readonly string[];
  /** Whether it gets a terminal; by default where the client has one on both sides. */
  terminal?: boolean;
}

/** The arguments of `incus` that run a command in an instance. */
export function execArguments(
  { config, registry }: Pick<Context, "config" | "registry">,
  name: string,
  { user, cwd, environment = {}, command, terminal }: ExecRequest,
): string[] {
  const identity = user
    ? {
        HOME: user.home,
        USER: user.name,
        LOGNAME: user.name,
        SHELL: user.shell,
      }
    : {};
  return [
    "exec",
    `${config.remote || "local"}:${name}`,
    "--project",
    registry.defaults.incusProject,
    ...(terminal === undefined
      ? []
      : [terminal ? "--force-interactive" : "--force-noninteractive"]),
    ...(user ? ["--user", String(user.uid), "--group", String(user.gid)] : []),
    ...(cwd === undefined ? [] : ["--cwd", cwd]),
    ...Object.entries({ ...identity, ...environment }).flatMap(([key, value]) => [
      "--env",
      `${key}=${value}`,
    ]),
    "--",
    ...command,
  ];
}

/**
 * The environment of the client: the user's, with the daemon that repoman goes by, and without what
 * would lead the client elsewhere or turn its own output into something else.
 */
export function clientEnvironment({ setting }: Pick<Context, "setting">): NodeJS.ProcessEnv {
  const { INCUS_REMOTE: _remote, INCUS_PROJECT: _project, ...env } = process.env;
  const { INCUS_DIR } = setting.variables;
  return INCUS_DIR === undefined ? env : { ...env, INCUS_DIR };
}

/**
 * A client that has no configuration yet greets whoever runs it with advice on first steps, in the
 * midst of the output of what runs inside; and makes one. Here it is run once for that, unheard.
 */
export function keepClientQuiet(program: string, env: NodeJS.ProcessEnv): void {
  const folder = env.INCUS_CONF || join(paths(env).home, ".config/incus");
  if (existsSync(join(folder, "config.yml"))) return;
  spawnSync(program, ["remote", "get-default"], { env, stdio: "ignore", timeout: 10_000 });
}

/** What a program inside should know of the terminal and the language that it is seen in. */
export function terminalVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  const wanted = (key: string) =>
    ["TERM", "COLORTERM", "LANG", "LANGUAGE"].includes(key) || /^LC_[A-Z]+$/.test(key);
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value && wanted(key) ? [[key, value]] : [])),
  );
}

const USABLE_SHELL = /^\/.*[^/]$/;
const NO_SHELL = /\/(nologin|false|true|sync)$/;

/** An account of a container's `/etc/passwd`, with a shell that can be used. */
export function accountIn(passwd: string, uid: number): Inside | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , id, gid, , home, shell = ""] = line.split(":");
    if (!name || Number(id) !== uid || id === "" || !gid) continue;
    const usable = USABLE_SHELL.test(shell) && !NO_SHELL.test(shell);
    return {
      name,
      uid,
      gid: Number(gid),
      home: home || "/",
      shell: usable ? shell : "/bin/sh",
    };
  }
  return undefined;
}

/** For whom `up` made the user inside: the owner of the repository. */
export function madeFor({
  config,
}: Instance): { name: string; uid: number; gid: number } | undefined {
  const [, name, uid, gid] = /^(.*):(\d+):(\d+)$/.exec(config[MARK.ready] ?? "") ?? [];
  return name === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) };
}
