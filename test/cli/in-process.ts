// A command line as a process of its own would run it, but for the process: for what is the same
// however it was started.

import { reportError } from "../../cli/output/say.ts";
import { definition, findEntry, run } from "../../cli/program.ts";

export interface Said {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs one command in an environment of its own and without a terminal. One at a time.
 *
 * @param env all of it
 */
export async function inProcess(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
  const [name = "", ...rest] = args;
  const said = { stdout: "", stderr: "" };
  const before = { env: process.env, exitCode: process.exitCode, tty: process.stdin.isTTY };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  process.env = { ...env };
  process.exitCode = undefined;
  process.stdin.isTTY = false;
  for (const stream of ["stdout", "stderr"] as const) {
    process[stream].write = (text: string | Uint8Array) => {
      said[stream] += text;
      return true;
    };
  }
  try {
    await run(await definition(findEntry(name)), rest);
    return { ...said, exitCode: Number(process.exitCode ?? 0) };
  } catch (error) {
    const exitCode = reportError(error);
    return { ...said, exitCode };
  } finally {
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
    process.stdin.isTTY = before.tty;
    process.exitCode = before.exitCode;
    process.env = before.env;
  }
}
