// What the handlers owe the engine that calls them: not to work beside a provider left over from a
// killed run, to fail without a stack, and to say things in its display.

import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { HeldLock, waitForLock } from "../host/lock.js";
import { inOwnWords, remedyInOwnWords } from "../host/own-words.js";
import { paths } from "../host/paths.js";
import { type Reach, stackToName } from "../host/reach.js";
import { report } from "../host/report.js";
import { Unreachable } from "../incus/errors.ts";
import type { Checked, Handlers } from "./dynamic.ts";
import type { Owner } from "./ownership.ts";
import { work } from "./stopping.ts";

const OTHER_PROVIDER_MS = 60_000;

let turn: Promise<void> | undefined;

/**
 * Called before anything is changed: waits until no provider of an earlier, killed run is at work
 * for this stack. The kernel drops the lock when its holder ends.
 */
export function takeTurn(stackId: string): Promise<void> {
  // Of an object whose mark was taken off: nothing of it will be changed.
  if (stackId === "") return Promise.resolve();
  turn ??= (async () => {
    const file = join(paths().stateDir, "stacks", `${stackId}.provider.lock`);
    const lock = await waitForLock(file, `a provider (pid ${process.pid})`, {
      timeoutMs: OTHER_PROVIDER_MS,
    });
    if (lock instanceof HeldLock) return;
    turn = undefined;
    throw new Fault(`an earlier run of this stack is still at work: ${lock.holder}`, {
      remedy: "Wait until it has ended, then run again.",
      exitCode: 4,
    });
  })();
  return turn;
}

/** What the inputs of every resource have. */
export interface Identified {
  name: string;
  owner: Owner;
}

type Severity = "info" | "warning" | "error";

interface EngineLog {
  /** @param urn of the resource that it is about; with it the message is of the moment only */
  log(severity: Severity, message: string, urn?: string): Promise<void>;
}

let engine: Promise<EngineLog> | undefined;

/** Loaded at the first message, since most runs have none. */
async function connectEngine(): Promise<EngineLog> {
  const address = process.argv[2];
  if (!address) {
    return { log: async (_, message, urn) => (urn ? undefined : console.error(message)) };
  }
  const [grpc, services, messages] = await Promise.all([
    import("@grpc/grpc-js"),
    import("@pulumi/pulumi/proto/engine_grpc_pb.js"),
    import("@pulumi/pulumi/proto/engine_pb.js"),
  ]);
  const client = new services.default.EngineClient(address, grpc.credentials.createInsecure());
  const { LogRequest, LogSeverity } = messages.default;
  const severities = {
    info: LogSeverity.INFO,
    warning: LogSeverity.WARNING,
    error: LogSeverity.ERROR,
  };
  return {
    log: (severity, message, urn) =>
      new Promise((resolve) => {
        const request = new LogRequest();
        request.setSeverity(severities[severity]);
        request.setMessage(message);
        if (urn !== undefined) {
          request.setUrn(urn);
          request.setEphemeral(true);
        }
        // A message that cannot be shown must not fail the work it is about.
        client.log(request, () => resolve());
      }),
  };
}

const said = new Set<string>();

function isFirst(message: string): boolean {
  const before = said.size;
  return said.add(message).size > before;
}

/** Shows a warning once per process in Pulumi's display. */
export async function warn(message: string): Promise<void> {
  if (!isFirst(message)) return;
  engine ??= connectEngine();
  await (await engine).log("warning", inOwnWords(message));
}

/**
 * Moves a resource's own line in Pulumi's display. Nothing of it stays, and nobody waits for it.
 *
 * @param urn whose line
 */
export function status(urn: string, message: string): void {
  engine ??= connectEngine();
  void engine.then((connected) => connected.log("info", message, urn)).catch(() => undefined);
}

/**
 * What `check` returns where the whole run must stop before anything changes: Pulumi shows the
 * reason with the resource, without a stack.
 */
export function refuse<I extends Identified>(kind: string, inputs: I, reason: string): Checked<I> {
  const said = remedyInOwnWords(reason, process.env, reachOf(inputs));
  report(EXIT.conflict, `${kind} ${inputs.name}`, said);
  return { inputs, failures: [{ property: "name", reason: said }] };
}

/** What commands in a message have to name to reach the stack and the server of these inputs. */
function reachOf({ owner, remote }: Identified & { remote?: string }): Reach {
  const stack = stackToName(owner.stack || undefined);
  return { ...(stack && { stack }), ...(remote && { remote }) };
}

/**
 * Wraps the handlers of a resource type. A `Fault` loses its stack (Pulumi prints the stack of
 * what `check`, `diff`, `read` and `delete` throw) and its exit code reaches the report; what
 * changes something waits for its turn.
 */
export function guarded<I extends Identified, O extends I>(
  kind: string,
  handlers: Handlers<I, O>,
): Handlers<I, O> {
  const guard = async <T>(inputs: Identified, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (error instanceof Fault) {
        error.message = remedyInOwnWords(error.message, process.env, reachOf(inputs));
        report(error.exitCode, `${kind} ${inputs.name}`, error.message);
        error.stack = "";
      }
      throw error;
    }
  };
  const inTurn = <T>(inputs: Identified, run: () => Promise<T>): Promise<T> =>
    guard(inputs, () =>
      work(async () => {
        await takeTurn(inputs.owner.id);
        return run();
      }),
    );
  return {
    check: (olds, news) => guard(news, () => handlers.check(olds, news)),
    diff: (id, olds, news) => guard(news, () => handlers.diff(id, olds, news)),
    create: (inputs) => inTurn(inputs, () => handlers.create(inputs)),
    read: async (id, state) => {
      try {
        return await guard(state, () => handlers.read(id, state));
      } catch (error) {
        // The first one ends the run; that many objects are out of reach with their server is one
        // piece of news.
        if (!(error instanceof Unreachable) || isFirst(error.message)) throw error;
        return { id, props: state };
      }
    },
    update: (id, olds, news) => inTurn(news, () => handlers.update(id, olds, news)),
    delete: (id, state) => inTurn(state, () => handlers.delete(id, state)),
  };
}
