import { apiPath, type Transport } from "./transport.ts";
import type { Operation } from "./types.ts";

/**
 * Reports an operation's progress from the events stream. It is a comfort only: a stream that
 * cannot be had is no error, and the operation is waited for elsewhere.
 */
export function followProgress(
  transport: Transport,
  id: string,
  onProgress: (text: string) => void,
): { close(): void } {
  const socket = transport.websocket(
    apiPath(["events"], { type: "operation", "all-projects": "true" }),
  );
  let last = "";
  socket.on("error", () => {});
  socket.on("message", (data) => {
    const text = progressOf(data.toString(), id);
    if (text === undefined || text === last) return;
    last = text;
    onProgress(text);
  });
  return { close: () => socket.terminate() };
}

function progressOf(message: string, id: string): string | undefined {
  // Most events are other operations'; those are not worth parsing.
  if (!message.includes(id)) return undefined;
  let metadata: Operation | undefined;
  try {
    ({ metadata } = JSON.parse(message));
  } catch {}
  if (metadata?.id !== id) return undefined;
  for (const [key, value] of Object.entries(metadata.metadata ?? {})) {
    if (key.endsWith("_progress") && typeof value === "string") return value;
  }
  return undefined;
}
