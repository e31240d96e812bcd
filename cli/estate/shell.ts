import { isatty } from "node:tty";
import { EXIT, Fault } from "../../host/fault.js";
import { lookAt, silenceFault } from "../../host/look.ts";
import type { IncusClient } from "../../incus/client.ts";
import { start } from "../../providers/container/run.ts";
import { type Context, connectTo } from "../context.ts";
import { findProgram } from "../find-program.ts";
import { journal } from "../journal.ts";
import { ask } from "../output/ask.ts";
import { chooseProject } from "./choose.ts";
import { type Container, findContainers } from "./containers.ts";
import {
  accountIn,
  clientEnvironment,
  execArguments,
  type Inside,
  keepClientQuiet,
  madeFor,
  terminalVariables,
} from "./incus-exec.ts";

export interface ShellRequest {
  name: string | undefined;
  /** A command instead of a login shell. */
  command: readonly string[];
  /** As root instead of the repository's owner. */
  root: boolean;
  /** Start a container that does not run, without a question. */
  start: boolean;
}

/**
 * Puts the `incus` client in the place of this process, with a shell or a command in a container.
 * It does not return.
 */
export async function enter(context: Context, request: ShellRequest): Promise<never> {
  const name = await chooseProject(context, request.name, "Which one to enter?");
  const program = findProgram("incus", context.setting.env);
  const client = await connectTo(context);
  let args: string[];
  try {
    const [container] = await findContainers(context, client, [name]);
    if (!container) throw new Error(`no container was found for "${name}"`);
    await running(context, client, container, request);
    const user = await userInside(client, container, request.root);
    args = execArguments(context, name, {
      user,
      cwd: container.project.path,
      environment: terminalVariables(process.env),
      command: request.command.length > 0 ? request.command : [user.shell, "-l"],
    });
  } finally {
    client.close();
  }
  replaceBy(program, args, clientEnvironment(context));
}

/** Not `process.stdin`: merely asking it would begin to read what is the client's to read. */
function atTerminal(): boolean {
  return isatty(0) && isatty(2);
}

async function running(
  { setting }: Context,
  client: IncusClient,
  { instance }: Container,
  request: ShellRequest,
): Promise<void> {
  const { name, status } = instance;
  if (status === "Running") return;
  if (!request.start) {
    if (!atTerminal()) {
      throw new Fault(`the container "${name}" does not run (${status.toLowerCase()})`, {
        remedy: "Add --start to have it started.",
        exitCode: EXIT.usage,
      });
    }
    const yes = await ask<boolean>(({ confirm }, io) =>
      confirm({ message: `${name} is ${status.toLowerCase()}. Start it?`, ...io }),
    );
    if (!yes) {
      throw new Fault(`the container "${name}" does not run, and was not started`, {
        remedy: `When it may be: repoman shell ${name} --start`,
      });
    }
  }
  await start(client, instance);
  await journal(setting, { command: "start", names: [name], result: "ok" });
}

/** Accounts beyond this are no honest container's. */
const MOST_OF_PASSWD = 1024 * 1024;

async function userInside(
  client: IncusClient,
  { instance, project }: Container,
  root: boolean,
): Promise<Inside> {
  const owner = root
    ? { name: "root", uid: 0, gid: 0 }
    : (madeFor(instance) ?? (await ownerOf(project.repo)));
  const { stdout } = await client.exec(instance.project, instance.name, {
    command: ["cat", "/etc/passwd"],
    maxBytes: MOST_OF_PASSWD,
    timeoutMs: 20_000,
  });
  const known = accountIn(stdout, owner.uid);
  return known ?? { ...owner, home: owner.uid === 0 ? "/root" : "/", shell: "/bin/sh" };
}

async function ownerOf(repo: string): Promise<{ name: string; uid: number; gid: number }> {
  const seen = await lookAt(repo);
  if (seen.ok) return { name: String(seen.uid), uid: seen.uid, gid: seen.gid };
  const place = `the repository ${JSON.stringify(repo)}`;
  if ("silent" in seen) throw silenceFault(place, seen, "Or enter as root: --root");
  throw new Fault(`${place} cannot be read (${seen.code})`, {
    remedy: "Mount its disk or move it back, or enter as root: --root",
  });
}

/** The terminal, its signals and the exit code are the client's from here on. */
function replaceBy(program: string, args: readonly string[], env: NodeJS.ProcessEnv): never {
  keepClientQuiet(program, env);
  process.execve?.(program, [program, ...args], env);
  throw new Error("this Node cannot put another program in its place");
}
