import { type About, IncusError } from "./errors.ts";
import { fromOperation } from "./mapping.ts";
import { apiPath, type Transport } from "./transport.ts";

/**
 * When a container does not start, the server only says that its helper failed; the reason is in
 * the container's own log.
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

/** Later errors only say that the earlier one ended the start. */
export function firstError(log: string): string | undefined {
  for (const line of log.split("\n")) {
    // lxc NAME 20260101120000.000 ERROR    conf - ../src/lxc/conf.c:lxc_map_ids:3708 - what happened
    const [, reason] = / ERROR +\S+ - \S+:\S+:\d+ - (.+)$/.exec(line) ?? [];
    if (reason) return reason;
  }
  return undefined;
}
