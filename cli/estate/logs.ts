import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, Fault } from "../../host/fault.js";
import type { IncusClient } from "../../incus/client.ts";
import { type Context, connectTo } from "../context.ts";
import { findProgram } from "../find-program.ts";
import { harmless, Lines, lastLines } from "../output/foreign.ts";
import { chooseProject } from "./choose.ts";
import { Console } from "./console.ts";
import { type Container, findContainers } from "./containers.ts";
import { clientEnvironment, execArguments, keepClientQuiet } from "./incus-exec.ts";

export interface LogsRequest {
  name: string | undefined;
  lines: number;
  follow: boolean;
  /** The console even where there is a journal. */
  console: boolean;
  /** Byte for byte, escape sequences included. */
  raw: boolean;
}

const SECOND = 1000;
const MOST_OF_JOURNAL = 64 * 1024 * 1024;

/** Prints what a container has logged; with `follow` until it is stopped. */
export async function printLogs(context: Context, request: LogsRequest): Promise<void> {
  const name = await chooseProject(context, request.name, "Which one to read the log of?");
  const client = await connectTo(context);
  try {
    const [container] = await findContainers(context, client, [name]);
    if (!container) throw new Error(`no container was found for "${name}"`);
    const write = writer(request);
    if (request.console || !(await hasJournal(client, container))) {
      await consoleLog(context, client, container, request, write);
    } else if (request.follow) {
      await followJournal(context, container, request, write);
    } else {
      await journalLog(client, container, request, write);
    }
  } finally {
    client.close();
  }
}

/** Prints lines as the request wants them. */
function writer({ raw }: LogsRequest): (line: string) => void {
  return (line) => void process.stdout.write(`${raw ? line : harmless(line)}\n`);
}

async function hasJournal(client: IncusClient, { instance }: Container): Promise<boolean> {
  if (instance.status !== "Running") return false;
  const { exitCode } = await client.exec(instance.project, instance.name, {
    command: ["test", "-d", "/run/systemd/system"],
    timeoutMs: 20_000,
  });
  return exitCode === 0;
}

function journalctl({ lines, follow }: LogsRequest): string[] {
  const all = ["journalctl", "--no-pager", "--quiet", "--output=short-iso", `--lines=${lines}`];
  return follow ? [...all, "--follow"] : all;
}

async function journalLog(
  client: IncusClient,
  { instance }: Container,
  request: LogsRequest,
  write: (line: string) => void,
): Promise<void> {
  const { exitCode, stdout, stderr, truncated } = await client.exec(
    instance.project,
    instance.name,
    { command: journalctl(request), maxBytes: MOST_OF_JOURNAL },
  );
  if (exitCode !== 0) throw unreadable(instance.name, exitCode, stderr);
  for (const line of lastLines(stdout, Number.POSITIVE_INFINITY)) write(line);
  if (truncated)
    throw new Fault(`the journal of "${instance.name}" was cut off: it is too long`, {
      remedy: "Ask for fewer lines: -n 1000",
    });
}

function unreadable(name: string, exitCode: number, stderr: string): Fault {
  const said = harmless(stderr.trim().split("\n").at(-1) ?? "") || `exit code ${exitCode}`;
  return new Fault(`the journal of "${name}" cannot be read: ${said}`, {
    remedy: `Read the console instead: repoman logs ${name} --console`,
  });
}

/** The client's own exec streams, and passes a Ctrl-C on to what runs inside. */
async function followJournal(
  context: Context,
  { instance }: Container,
  request: LogsRequest,
  write: (line: string) => void,
): Promise<void> {
  const program = findProgram("incus", context.setting.env);
  const command = journalctl(request);
  const env = clientEnvironment(context);
  keepClientQuiet(program, env);
  const args = execArguments(context, instance.name, { command, terminal: false });
  const child = spawn(program, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stopped = onStop(() => child.kill("SIGINT"));
  const lines = new Lines(write);
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => lines.add(chunk));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-4096);
  });
  // A reader that went away (`| head`) ends it.
  process.stdout.once("error", () => child.kill("SIGINT"));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? EXIT.failed));
  });
  lines.end();
  if (!stopped.asked && exitCode !== 0) throw unreadable(instance.name, exitCode, stderr);
}

/** What the console has now, and with `follow` what comes, asked for every second. */
async function consoleLog(
  { setting }: Context,
  client: IncusClient,
  { instance }: Container,
  { lines, follow }: LogsRequest,
  write: (line: string) => void,
): Promise<void> {
  const console = await Console.of(client, instance, setting.env);
  const text = await console.all();
  if (!follow) {
    for (const line of lastLines(text, lines)) write(line);
    return;
  }
  // A last line without an end is not whole yet, and is shown once it is.
  const whole = text.lastIndexOf("\n") + 1;
  for (const line of lastLines(text.slice(0, whole), lines)) write(line);
  const into = new Lines(write);
  into.add(Buffer.from(text.slice(whole)));
  const ended = new AbortController();
  onStop(() => ended.abort());
  process.stdout.once("error", () => ended.abort());
  while (!ended.signal.aborted) {
    await sleep(SECOND, undefined, { signal: ended.signal }).catch(() => {});
    into.add(Buffer.from(await console.next()));
  }
  into.end();
}

/** Calls back when the user has seen enough; that is a good end. */
function onStop(stop: () => void): { asked: boolean } {
  const state = { asked: false };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      state.asked = true;
      stop();
    });
  }
  return state;
}
