// Starting Pulumi and passing signals on to it.
//
// The first INT or TERM makes Pulumi wait for what is running, save and unlock; a second one makes
// it stop at once and leave the state behind. So it must get each signal once. A Ctrl-C at a
// terminal reaches both of us, since we share a process group, and so does what a service manager
// sends to all of a unit; a `kill` of our pid reaches only us. A signal does not tell which it was,
// so a canary sits in the same group: if the signal has hit it as well, Pulumi has had it too.

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../host/fault.js";
import { reachVariable } from "../../host/reach.js";
import { findProgram } from "../find-program.ts";
import type { Setting } from "../setting.ts";
import type { PulumiEnd } from "./exit-code.ts";

const CANARY_MS = 500;

/**
 * A terminal that is closed sends HUP to the whole group, of which Pulumi would die on the spot.
 * It starts with HUP ignored, and gets a TERM from us instead. The script is a constant; what runs
 * is passed as arguments.
 */
const IGNORING_HANGUP = ["-c", 'trap "" HUP; exec "$@"', "sh"];

export interface Captured extends PulumiEnd {
  stdout: string;
  stderr: string;
}

/**
 * Runs Pulumi in the terminal that we have, until it ends.
 *
 * @param aside whether all that it says goes to stderr
 */
export async function runPulumi(
  setting: Setting,
  args: readonly string[],
  aside = false,
): Promise<PulumiEnd> {
  return guarded(() => start(setting, args, aside ? ["inherit", 2, 2] : "inherit"));
}

/**
 * Runs a Pulumi command that says nothing to the user and asks nothing.
 *
 * @throws Fault where a signal stops it
 */
export async function capturePulumi(setting: Setting, args: readonly string[]): Promise<Captured> {
  let output: Promise<string[]> | undefined;
  const end = await guarded(() => {
    const child = start(setting, args, ["ignore", "pipe", "pipe"]);
    output = Promise.all(
      [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : "")),
    );
    return child;
  });
  const [stdout = "", stderr = ""] = (await output) ?? [];
  // What it was run for is not to be gone on with.
  if (end.interrupted)
    throw new Fault(`stopped by ${end.interrupted}`, { remedy: "Run again to go on." });
  return { ...end, stdout, stderr };
}

function start({ root, env }: Setting, args: readonly string[], stdio: StdioOptions): ChildProcess {
  const pulumi = findProgram("pulumi", env);
  return spawn("sh", [...IGNORING_HANGUP, pulumi, "-C", root, ...args], {
    env: { ...env, ...reachVariable(env) },
    stdio,
  });
}

/** Listens before it starts: a signal in between would end us and leave Pulumi alone at work. */
async function guarded(begin: () => ChildProcess): Promise<PulumiEnd> {
  let child: ChildProcess | undefined;
  let interrupted: NodeJS.Signals | undefined;
  const canary = perch();
  const pass = async (signal: NodeJS.Signals) => {
    if (interrupted) return;
    interrupted = signal;
    if (signal === "SIGHUP") child?.kill("SIGTERM");
    else if (!(await canary.wasHit())) child?.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, pass);
  try {
    child = begin();
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return { code, signal, ...(interrupted ? { interrupted } : {}) };
  } finally {
    for (const signal of signals) process.off(signal, pass);
    canary.release();
  }
}

/** A process that does nothing but be hit by what hits the group; it ends with us in any case. */
function perch() {
  const canary = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
  // Without a canary every signal is passed on.
  canary.on("error", () => {});
  canary.stdin.on("error", () => {});
  canary.unref();
  return {
    async wasHit(): Promise<boolean> {
      if (canary.exitCode === null && canary.signalCode === null && canary.pid !== undefined) {
        await Promise.race([once(canary, "exit"), sleep(CANARY_MS, undefined, { ref: false })]);
      }
      return canary.signalCode !== null;
    },
    release: () => canary.stdin.destroy(),
  };
}
