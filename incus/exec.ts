import { setTimeout as sleep } from "node:timers/promises";
import type { WebSocket } from "ws";
import { type About, IncusError, named, OperationFailed, TimedOut } from "./errors.ts";
import { OPERATION_TIMEOUT, wait } from "./operations.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { ExecResult, Operation } from "./types.ts";

export interface ExecOptions {
  /** The program and its arguments; no shell is involved */
  command: string[];
  environment?: Record<string, string>;
  /** Numeric ids inside the instance; root's unless said */
  user?: number;
  group?: number;
  cwd?: string;
  /** What the command reads from its standard input; nothing unless said */
  input?: string | Uint8Array;
  /** The command is killed after this long; two minutes unless said */
  timeoutMs?: number;
  /** Each output stream is kept up to this length; 8 MiB unless said */
  maxBytes?: number;
  signal?: AbortSignal;
}

const MAX_BYTES = 8 * 1024 * 1024;
/** What a kill, or the end of the streams after the command's, may take; milliseconds. */
const GRACE = 5000;

/**
 * Runs a command in an instance, its streams over websockets: nothing is left in the instance's logs.
 * A command that exits non-zero is no error here, and as in a shell 127 says that the program is
 * not there, 126 that it cannot be executed. The server falls back to `/` when `cwd` is not there.
 * Killing reaches the command itself, not what it started.
 * @throws TimedOut after the command was killed; BadRequest when the instance does not run;
 *   Unreachable; the signal's reason
 */
export async function exec(
  transport: Transport,
  project: string,
  name: string,
  options: ExecOptions,
): Promise<ExecResult> {
  // Arguments may hold what messages must not.
  const about = {
    verb: `run ${JSON.stringify(options.command[0] ?? "")} in`,
    subject: named("instance", name, project),
  };
  const { metadata } = await transport.request({
    method: "POST",
    path: apiPath(["instances", name, "exec"], { project }),
    body: {
      command: options.command,
      environment: options.environment,
      user: options.user,
      group: options.group,
      cwd: options.cwd,
      interactive: false,
      "wait-for-websocket": true,
    },
    about,
    signal: options.signal,
  });
  const operation = metadata as Operation;
  const streams = new Streams(transport, operation, options);
  const limit = options.timeoutMs ?? OPERATION_TIMEOUT;
  try {
    return await finish(transport, operation, about, limit, options, streams);
  } catch (error) {
    if (error instanceof TimedOut || options.signal?.aborted)
      await kill(transport, operation, about, streams);
    throw error;
  } finally {
    streams.close();
  }
}

async function finish(
  transport: Transport,
  operation: Operation,
  about: About,
  timeoutMs: number,
  { signal }: ExecOptions,
  streams: Streams,
): Promise<ExecResult> {
  let exitCode: unknown;
  try {
    const done = await wait(transport, operation, { about, timeoutMs, signal });
    exitCode = done.metadata?.return;
  } catch (error) {
    exitCode = shellCode(error);
    // One with a status is the server's own.
    if (error instanceof TimedOut && error.status === undefined) {
      const what = `the command did not end within ${timeoutMs / 1000} s and was killed`;
      throw new TimedOut(about, what, { cause: error });
    }
    if (exitCode === undefined) throw error;
  }
  if (typeof exitCode !== "number") {
    throw new OperationFailed(about, "the server does not say how the command ended");
  }
  await streams.ended();
  return { exitCode, ...streams.result() };
}

/**
 * The server reports an exit code of 126 or 127 as a failure of its own, whether the command was
 * not there or ended with that code itself.
 */
function shellCode(error: unknown): number | undefined {
  if (!(error instanceof IncusError)) return undefined;
  if (error.detail === "Command not found") return 127;
  if (error.detail === "Command not executable") return 126;
  return undefined;
}

/** Closing the control stream kills the command; what follows is bounded. */
async function kill(
  transport: Transport,
  operation: Operation,
  about: About,
  streams: Streams,
): Promise<void> {
  streams.kill();
  await wait(transport, operation, { about, timeoutMs: GRACE }).catch(() => {});
}

/** The four websockets of an exec. */
class Streams {
  readonly #control: WebSocket;
  readonly #stdin: WebSocket;
  readonly #out: Output;
  readonly #err: Output;

  constructor(transport: Transport, operation: Operation, options: ExecOptions) {
    const secrets = (operation.metadata?.fds ?? {}) as Record<string, string>;
    const open = (name: string) => {
      const socket = transport.websocket(
        apiPath(["operations", operation.id, "websocket"], { secret: secrets[name] }),
      );
      // Whatever goes wrong with a stream ends the operation, and that is what is waited for.
      socket.on("error", () => {});
      return socket;
    };
    const max = options.maxBytes ?? MAX_BYTES;
    this.#control = open("control");
    this.#out = new Output(open("1"), max);
    this.#err = new Output(open("2"), max);
    this.#stdin = open("0");
    this.#stdin.on("open", () => {
      if (options.input !== undefined)
        this.#stdin.send(Buffer.from(options.input), { binary: true });
      // A text message stands for the end of the stream.
      this.#stdin.send("");
    });
  }

  async ended(): Promise<void> {
    const late = new AbortController();
    await Promise.race([
      Promise.all([this.#out.ended, this.#err.ended]),
      sleep(GRACE, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
  }

  result(): Omit<ExecResult, "exitCode"> {
    const stdoutBytes = this.#out.bytes();
    const stderrBytes = this.#err.bytes();
    return {
      stdout: stdoutBytes.toString("utf8"),
      stderr: stderrBytes.toString("utf8"),
      stdoutBytes,
      stderrBytes,
      truncated: this.#out.truncated || this.#err.truncated,
    };
  }

  kill(): void {
    this.#control.terminate();
  }

  close(): void {
    for (const socket of [this.#control, this.#stdin, this.#out.socket, this.#err.socket])
      socket.terminate();
  }
}

/** Collects one output stream up to a limit, and goes on reading after it so that the command is not held up. */
class Output {
  readonly socket: WebSocket;
  readonly ended: Promise<void>;
  truncated = false;
  readonly #chunks: Buffer[] = [];
  #room: number;

  constructor(socket: WebSocket, max: number) {
    this.socket = socket;
    this.#room = max;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    socket.on("close", () => resolve());
    socket.on("message", (data: Buffer, binary: boolean) => {
      if (!binary) return resolve();
      if (data.length > this.#room) this.truncated = true;
      if (this.#room > 0) this.#chunks.push(data.subarray(0, this.#room));
      this.#room = Math.max(0, this.#room - data.length);
    });
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
