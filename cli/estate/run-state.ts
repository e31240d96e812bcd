// `start`, `stop` and `restart`: the run state alone, at once. What the registry declares with
// `running` is what the next `up` brings back.

import type { Command } from "commander";
import { EXIT, exitCodeOf, Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { Busy, TimedOut } from "../../incus/errors.ts";
import type { InstanceAction } from "../../incus/types.ts";
import { type Context, connectTo, readContext } from "../context.ts";
import { stackOption } from "../definition.ts";
import { journal, resultOf } from "../journal.ts";
import { note, reportError, warn } from "../output/say.ts";
import { chooseProjects } from "./choose.ts";
import { type Container, findContainers } from "./containers.ts";

export type Verb = "start" | "stop" | "restart";

interface Options {
  stack?: string;
  timeout?: string;
  force?: boolean;
}

/** So many at once: each keeps the server and its disk busy. */
const AT_ONCE = 4;

const DONE: Record<Verb, string> = { start: "started", stop: "stopped", restart: "restarted" };

/** What the three commands have in common. */
export function defineRunState(command: Command, verb: Verb): void {
  command.argument("[names...]", "the projects; asked for where they are missing");
  if (verb !== "start") {
    command
      .option("--timeout <seconds>", "how long a clean stop may take", "30")
      .option("--force", "kill it instead of asking it to shut down");
  }
  command
    .addOption(stackOption())
    .action((names: string[], options: Options) => change(verb, names, options));
}

async function change(verb: Verb, given: string[], options: Options): Promise<void> {
  const began = performance.now();
  const timeout = seconds(options.timeout ?? "30");
  const context = await readContext({ stack: options.stack });
  const names = await chooseProjects(context, given, verb);
  const client = await connectTo(context);
  let worst: number = EXIT.ok;
  try {
    const queue = [...(await findContainers(context, client, names))];
    const worker = async () => {
      for (let each = queue.shift(); each; each = queue.shift()) {
        try {
          await changeOne(client, verb, each, { timeout, force: options.force ?? false });
        } catch (error) {
          worst = Math.max(worst, exitCodeOf(error));
          reportError(error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    client.close();
  }
  await tell(context, verb, names, worst, began);
  process.exitCode = worst;
}

async function changeOne(
  client: IncusClient,
  verb: Verb,
  { instance, project: declared }: Container,
  { timeout, force }: { timeout: number; force: boolean },
): Promise<void> {
  const { name, project, status } = instance;
  if (verb === "start" && status === "Running") return say(name, "runs already");
  if (verb === "stop" && status === "Stopped") return say(name, "is stopped already");
  try {
    for (const action of actions(verb, status)) {
      await client.setInstanceState(project, name, { action, force, timeout });
    }
  } catch (error) {
    if (verb === "start" || force) throw error;
    if (!(error instanceof TimedOut || error instanceof Busy)) throw error;
    throw new Fault(`the container "${name}" did not stop within ${timeout} s`, {
      remedy: `Give it longer (--timeout), or kill it: repoman ${verb} ${name} --force`,
      cause: error,
    });
  }
  say(name, DONE[verb]);
  const wanted = declared.enabled ? declared.running : false;
  const now = verb !== "stop";
  if (wanted !== undefined && wanted !== now) {
    const key = declared.enabled ? `running = ${wanted}` : "enabled = false";
    warn(
      `the registry says ${key} for ${name}, so the next \`repoman up\` ${now ? "stops" : "starts"} it`,
    );
  }
}

/** A frozen one has to thaw before it can be stopped cleanly, and one that is stopped only starts. */
function actions(verb: Verb, status: string): InstanceAction[] {
  if (verb === "start") return [status === "Frozen" ? "unfreeze" : "start"];
  if (verb === "restart" && status === "Stopped") return ["start"];
  return status === "Frozen" ? ["unfreeze", verb] : [verb];
}

function say(name: string, what: string): void {
  note(`${name}: ${what}`);
}

function seconds(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 86_400) return number;
  throw new Fault(`--timeout ${text} is not a number of seconds`, {
    remedy: "Such as --timeout 120.",
    exitCode: EXIT.usage,
  });
}

async function tell(
  { setting }: Context,
  command: Verb,
  names: string[],
  exitCode: number,
  began: number,
): Promise<void> {
  await journal(setting, { command, names, result: resultOf(exitCode), exitCode, began });
}
