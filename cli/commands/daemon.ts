import type { Command } from "commander";
import { EXIT, Fault } from "../../host/fault.js";
import { paths } from "../../host/paths.js";
import { Progress } from "../../tools/progress.js";
import { addExamples } from "../definition.ts";
import { colorsFor } from "../output/say.ts";

export function define(command: Command): void {
  command.description(
    "Where no service manager runs Incus (a container, a machine for CI), repoman runs a daemon of " +
      "its own. An Incus that the system runs is looked at, and left alone.",
  );
  const looking = command
    .command("status")
    .description("which daemon repoman talks to, and what runs in it; exits 3 unless it answers")
    .option("--json", "as JSON")
    .action(status);
  addExamples(looking, [["repoman daemon status --json | jq -r .socket", "where it listens"]]);
  const starting = command
    .command("start")
    .description("start repoman's own daemon, if it has one; containers that ran start again")
    .action(start);
  addExamples(starting, [["repoman daemon start", "after the machine was started"]]);
  const stopping = command
    .command("stop")
    .description("shut down repoman's own daemon and the containers in it")
    .option("--timeout <seconds>", "how long containers may take", "120")
    .action(stop);
  addExamples(stopping, [
    ["repoman daemon stop", "before the machine is shut down"],
    ["repoman daemon stop --timeout 600", "where a database takes its time"],
  ]);
  addExamples(command, [
    ["repoman daemon status", "is it up, and what runs in it"],
    ["repoman daemon start", "after the machine was started"],
    ["repoman daemon stop", "before the machine is shut down"],
  ]);
}

async function status({ json }: { json?: boolean }): Promise<void> {
  const daemon = await import("../../tools/incus/status.js");
  const found = await daemon.status(context());
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : describe(found));
  if (found.state !== "running") process.exitCode = EXIT.environment;
}

async function start(): Promise<void> {
  const daemon = await import("../../tools/incus/daemon.js");
  const { kind, socket } = await daemon.status(context());
  if (kind !== "own") throw notOwn(socket, "start");
  const progress = new Progress();
  await progress.during("Starting Incus", () => daemon.start({ ...context(), progress }));
  await tell("daemon start");
  process.stdout.write(`Incus answers at ${socket}.\n`);
}

async function tell(command: string): Promise<void> {
  const [{ journal }, { findSetting }] = await Promise.all([
    import("../journal.ts"),
    import("../setting.ts"),
  ]);
  await journal(findSetting(), { command, result: "ok", exitCode: EXIT.ok });
}

async function stop({ timeout }: { timeout: string }): Promise<void> {
  const timeoutSeconds = Number(timeout);
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1) {
    throw new Fault(`--timeout ${timeout} is not a number of seconds`, {
      remedy: "Such as --timeout 120.",
      exitCode: EXIT.usage,
    });
  }
  const daemon = await import("../../tools/incus/daemon.js");
  const { kind, socket } = await daemon.status(context());
  if (kind !== "own") throw notOwn(socket, "stop");
  const progress = new Progress();
  const { stopped, instances } = await progress.during("Stopping Incus", () =>
    daemon.stop({ ...context(), progress }, { timeoutSeconds }),
  );
  if (stopped) await tell("daemon stop");
  const others = instances.length > 0 ? `, and with it ${instances.join(", ")}` : "";
  process.stdout.write(stopped ? `Stopped Incus${others}.\n` : "Incus was not running.\n");
}

function context() {
  return { paths: paths(process.env), env: process.env };
}

function notOwn(socket: string, verb: string): Fault {
  return new Fault(
    `repoman runs no Incus daemon of its own; the one that it uses listens at ${socket}`,
    {
      remedy: `Where systemd runs it: systemctl ${verb} incus`,
      exitCode: EXIT.usage,
    },
  );
}

interface Status {
  kind: string;
  state: string;
  socket: string;
  version?: string;
  pid?: number;
  instances: string[];
  folder?: string;
  log?: string;
}

const WHOSE: Readonly<Record<string, string>> = {
  own: "repoman's own",
  system: "the system's",
  named: "named by INCUS_SOCKET or INCUS_DIR",
};

function describe({ kind, state, socket, version, pid, instances, folder, log }: Status): string {
  const { green, red } = colorsFor(process.stdout);
  const lines: [string, string | undefined][] = [
    ["state", state === "running" ? green(state) : red(state)],
    ["daemon", WHOSE[kind] ?? kind],
    ["version", version],
    ["pid", pid?.toString()],
    ["socket", socket],
    ["folder", folder],
    ["log", log],
    ["instances", instances.join(", ") || "none running"],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(10)} ${value}\n`)
    .join("");
}
