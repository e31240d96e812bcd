import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const FIXTURES = join(import.meta.dirname, "fixtures");
const DRIVER = join(FIXTURES, "run-pulumi.ts");

let folder: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signals-"));
});
afterEach(async () => {
  if (child?.pid && child.exitCode === null && child.signalCode === null)
    process.kill(-child.pid, "SIGKILL");
  await rm(folder, { recursive: true });
});

/** Starts the driver with a process group of its own, and waits until its Pulumi listens. */
async function start(command: string, args: string[]): Promise<ChildProcess> {
  child = spawn(command, args, {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
    env: {
      ...process.env,
      PATH: `${FIXTURES}:${process.env.PATH}`,
      SIGNAL_LOG: join(folder, "signals"),
    },
  });
  await appears(join(folder, "signals"));
  return child;
}

async function appears(file: string): Promise<void> {
  for (let tries = 0; !existsSync(file); tries++) {
    if (tries > 1000) throw new Error(`${file} did not appear in 10 s`);
    await sleep(10);
  }
}

async function outcome() {
  const file = join(folder, "end");
  await appears(file);
  const signals = (await readFile(join(folder, "signals"), "utf8")).trim().split("\n").slice(1);
  return { signals, end: JSON.parse(await readFile(file, "utf8")) };
}

const direct = () => start(process.execPath, [DRIVER, join(folder, "end")]);

/** On a terminal of its own. */
const onTerminal = () =>
  start("script", [
    "--quiet",
    "--command",
    `"${process.execPath}" "${DRIVER}" "${join(folder, "end")}"`,
    "/dev/null",
  ]);

describe.each(["SIGINT", "SIGTERM"] as const)("%s", (signal) => {
  test("sent to repoman alone is passed on once, however often it comes", async () => {
    const { pid = 0 } = await direct();
    process.kill(pid, signal);
    await sleep(100);
    process.kill(pid, signal);
    expect(await outcome()).toEqual({
      signals: [signal],
      end: { code: 1, signal: null, interrupted: signal },
    });
  });

  test("sent to the whole group reaches Pulumi only as it is", async () => {
    const { pid = 0 } = await direct();
    process.kill(-pid, signal);
    expect(await outcome()).toEqual({
      signals: [signal],
      end: { code: 1, signal: null, interrupted: signal },
    });
  });
});

test("Ctrl-C at a terminal reaches Pulumi once", async () => {
  const { stdin } = await onTerminal();
  stdin?.write("\u0003");
  expect(await outcome()).toEqual({
    signals: ["SIGINT"],
    end: { code: 1, signal: null, interrupted: "SIGINT" },
  });
});

test("a terminal that is closed lets Pulumi end in order", async () => {
  const terminal = await onTerminal();
  terminal.kill("SIGKILL");
  await once(terminal, "exit");
  expect(await outcome()).toEqual({
    signals: ["SIGTERM"],
    end: { code: 1, signal: null, interrupted: "SIGHUP" },
  });
});
