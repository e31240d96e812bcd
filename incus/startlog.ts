import { setTimeout as sleep } from "node:timers/promises";
import { type About, IncusError } from "./errors.ts";
import { fromOperation } from "./mapping.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { Instance } from "./types.ts";

/**
 * When a container does not start, the server only says that its helper failed; the reason is in
 * the container's own log. Waits until the server knows, too, that it does not run.
 * @returns the error with that reason; the given one where there is none to be had
 */
export async function explainStart(
  transport: Transport,
  project: string,
  name: string,
  about: About,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof IncusError) || !/\bforkstart\b/.test(error.detail)) return error;
  try {
    await settled(transport, project, name, about);
    const log = await transport.text({
      method: "GET",
      path: apiPath(["instances", name, "logs", "lxc.log"], { project }),
      about,
      timeoutMs: 5000,
    });
    const reason = firstError(log);
    return reason ? fromOperation(about, reason) : error;
  } catch {
    return error;
  }
}

/**
 * For about a second after a failed start the server takes the instance for running, and neither
 * stops nor deletes it.
 */
async function settled(
  transport: Transport,
  project: string,
  name: string,
  about: About,
): Promise<void> {
  const path = apiPath(["instances", name], { project });
  for (let quiet = 0, turn = 0; quiet < 2 && turn < 40; turn++) {
    await sleep(100);
    const { metadata } = await transport.request({ method: "GET", path, about, timeoutMs: 5000 });
    quiet = (metadata as Instance).status === "Stopped" ? quiet + 1 : 0;
  }
}

/** Later errors only say that the earlier one ended the start. */
export function firstError(log: string): string | undefined {
  for (const line of log.split("\n")) {
    // lxc NAME 20260101120000.000 ERROR    conf - ../src/lxc/conf.c:lxc_map_ids:3708 - what happened
    const [, reason] = / ERROR +\S+ - \S+:\S+:\d+ - (.+)$/.exec(line) ?? [];
    if (reason) return reason;
  }
  return undefined;
}
