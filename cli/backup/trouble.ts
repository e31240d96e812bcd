import { EXIT, Fault } from "../../host/fault.js";
import { printable } from "../../registry/text.ts";

/** Why something about a copy was not done, as the engine tells it. */
export interface Trouble {
  result: string;
  reason: string;
  remedy: string;
}

/** The same as an error: a disk that is out of reach is the environment's. */
export function faultOf({ result, reason, remedy }: Trouble, about?: string): Fault {
  return new Fault(printable(about === undefined ? reason : `${about}: ${reason}`), {
    remedy: printable(remedy),
    exitCode: exitCodeFor(result),
  });
}

export function exitCodeFor(result: string): number {
  if (result.startsWith("ok")) return EXIT.ok;
  return result === "unreachable" ? EXIT.environment : EXIT.failed;
}

/** The exit code of several: 0, or that of all that went wrong where they agree, else 1. */
export function exitCodeOfAll(codes: readonly number[]): number {
  const bad = codes.filter((code) => code !== EXIT.ok);
  const [first] = bad;
  if (first === undefined) return EXIT.ok;
  return bad.every((code) => code === first) ? first : EXIT.failed;
}

/** Ends work cleanly at Ctrl-C, at SIGTERM and where the terminal goes away. */
export function stopSignal(): AbortSignal {
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)));
  }
  return stopped.signal;
}
