import { type CallOptions, changeInstance } from "./busy.ts";
import { type About, IncusError, named } from "./errors.ts";
import { OPERATION_TIMEOUT } from "./operations.ts";
import { explainStart } from "./startlog.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { InstanceState, InstanceStatePut } from "./types.ts";

/** Seconds that a clean stop may take; the server's own default is ten minutes. */
const STOP_SECONDS = 30;

export function aboutInstance(verb: string, project: string, name: string): About {
  return { verb, subject: named("instance", name, project) };
}

/** Whether an instance runs, and how to change that. */
export function stateCalls(transport: Transport) {
  return {
    /** Run state, addresses and usage. */
    async getInstanceState(project: string, name: string): Promise<InstanceState> {
      const reply = await transport.request({
        method: "GET",
        path: apiPath(["instances", name, "state"], { project }),
        about: aboutInstance("read the state of", project, name),
      });
      return reply.metadata as InstanceState;
    },

    /**
     * What was written to its console since it started, as far as the server keeps it: bytes that
     * whoever is inside chose. Empty where it never ran.
     */
    async getConsoleLog(project: string, name: string): Promise<string> {
      return transport.text({
        method: "GET",
        path: apiPath(["instances", name, "console"], { project }),
        about: aboutInstance("read the console of", project, name),
      });
    },

    /**
     * Starts, stops or restarts it; one that is in that state already is left alone.
     * @throws NotFound; OperationFailed with the reason from the container's own log; TimedOut when
     *   it does not stop by itself in time
     */
    async setInstanceState(
      project: string,
      name: string,
      { action, force = false, timeout = STOP_SECONDS }: InstanceStatePut,
      options: CallOptions = {},
    ): Promise<void> {
      const about = aboutInstance(action, project, name);
      const path = apiPath(["instances", name, "state"], { project });
      try {
        await changeInstance(
          transport,
          project,
          name,
          { method: "PUT", path, body: { action, force, timeout }, about },
          { timeoutMs: OPERATION_TIMEOUT + (force ? 0 : timeout * 1000), ...options },
        );
      } catch (error) {
        if (error instanceof IncusError && alreadySo(action, error.detail)) return;
        throw await explainStart(transport, project, name, about, error);
      }
    },
  };
}

function alreadySo(action: string, detail: string): boolean {
  return (
    (action === "stop" && /instance is already stopped/i.test(detail)) ||
    (action === "start" && /(instance|container) is already running/i.test(detail))
  );
}
