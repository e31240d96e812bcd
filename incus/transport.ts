import { WebSocket } from "ws";
import { EXIT, Fault } from "../host/fault.js";
import { http } from "./builtins.ts";
import { DialAgent, dialer } from "./dial.ts";
import { type Endpoint, place } from "./endpoint.ts";
import { type About, Unreachable } from "./errors.ts";
import { fromResponse } from "./mapping.ts";
import { unreachable } from "./unreachable.ts";

/** Longest that a server may take to answer, unless a request says otherwise; milliseconds. */
export const REQUEST_TIMEOUT = 120_000;

export interface Request {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** As `apiPath()` makes it */
  path: string;
  body?: unknown;
  /** Sent as `If-Match` */
  etag?: string | undefined;
  about: About;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface Reply {
  status: number;
  etag: string;
  type: "sync" | "async" | "error";
  metadata: unknown;
  error: string;
  errorCode: number;
}

interface Answer {
  status: number;
  etag: string;
  body: Buffer;
}

/**
 * HTTP to one server, over its socket or over TLS, with connections kept for the next request.
 * Every request ends: in a reply, in `Unreachable`, or in its signal's reason.
 */
export class Transport {
  readonly endpoint: Endpoint;
  readonly #agent: DialAgent;
  readonly #host: string;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
    this.#host = endpoint.kind === "https" ? endpoint.url.host : "incus";
    this.#agent = new DialAgent(endpoint);
  }

  /**
   * @throws the mapped IncusError for an error reply; Unreachable when there is no reply
   */
  async request(request: Request): Promise<Reply> {
    const reply = await this.raw(request);
    if (reply.type === "error") throw fromResponse(request.about, reply);
    return reply;
  }

  /** As `request`, but an error reply is returned. */
  async raw(request: Request): Promise<Reply> {
    const answer = await this.#send(request);
    try {
      return parseReply(answer);
    } catch (error) {
      throw new Unreachable(
        request.about,
        `${place(this.endpoint)} answers, but not as an Incus server (HTTP ${answer.status})`,
        { remedy: "check that the address and port are those of Incus", cause: error },
      );
    }
  }

  /** A file that the API serves as it is, such as a log. */
  async text(request: Request): Promise<string> {
    const answer = await this.#send(request);
    if (answer.status >= 400) throw fromResponse(request.about, parseReply(answer));
    return answer.body.toString("utf8");
  }

  async #send(request: Request): Promise<Answer> {
    request.signal?.throwIfAborted();
    try {
      return await this.#once(request);
    } catch (error) {
      if (!(error instanceof Stale)) throw error;
      // The server closed a kept connection just as it was taken up again. To read is safe to repeat.
      if (request.method === "GET") return this.#once(request, true);
      throw error.error;
    }
  }

  #once(
    { method, path, body, etag, about, timeoutMs, signal }: Request,
    last = false,
  ): Promise<Answer> {
    const limit = timeoutMs ?? REQUEST_TIMEOUT;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = http.request({
      agent: this.#agent,
      host: this.#host,
      method,
      path,
      headers: {
        Host: this.#host,
        ...(payload
          ? { "Content-Type": "application/json", "Content-Length": payload.length }
          : {}),
        ...(etag ? { "If-Match": etag } : {}),
      },
    });
    const fail = (error: NodeJS.ErrnoException) => {
      const mapped = unreachable(about, this.endpoint, error);
      const stale = !last && outgoing.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(error.code ?? "");
      reject(stale ? new Stale(mapped) : mapped);
      outgoing.destroy();
    };
    const timer = setTimeout(() => {
      const what = `${place(this.endpoint)} did not answer within ${limit / 1000} s`;
      reject(new Unreachable(about, what, { remedy: hung(this.endpoint) }));
      outgoing.destroy();
    }, limit);
    const aborted = () => {
      reject(signal?.reason);
      outgoing.destroy();
    };
    signal?.addEventListener("abort", aborted, { once: true });
    outgoing.on("error", fail);
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", fail);
      incoming.on("end", () => {
        const { statusCode: status = 0, headers } = incoming;
        resolve({ status, etag: headers.etag ?? "", body: Buffer.concat(chunks) });
      });
    });
    outgoing.end(payload);
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    });
  }

  /** A websocket of the API, such as the events stream or a stream of an exec; its errors are events. */
  websocket(path: string): WebSocket {
    return new WebSocket(`ws://${this.#host}${path}`, {
      // The connection is made, and its peer judged, before the handshake is sent through it.
      createConnection: dialer(this.endpoint) as never,
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
      maxPayload: 64 * 1024 * 1024,
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/**
 * A path of the API with every segment encoded.
 * @throws Fault (exit 2) for a segment that would address something else
 * @param query entries that are undefined are left out
 */
export function apiPath(
  segments: readonly string[],
  query: Record<string, string | number | undefined> = {},
): string {
  const path = segments.map(encoded).join("/");
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) search.set(key, String(value));
  }
  return `/1.0${path ? `/${path}` : ""}${search.size ? `?${search}` : ""}`;
}

function encoded(segment: string): string {
  // An empty segment would address the whole collection, these dots another object.
  if (["", ".", ".."].includes(segment)) {
    throw new Fault(`${JSON.stringify(segment)} is not a name that Incus knows`, {
      remedy: "Give the name of an object that is there.",
      exitCode: EXIT.usage,
    });
  }
  return encodeURIComponent(segment);
}

function hung(endpoint: Endpoint): string {
  return endpoint.kind === "unix"
    ? "see what it is doing (`incus operation list`, `journalctl -u incus`), restart it if it hangs"
    : "see whether that machine is overloaded or the network between drops packets";
}

/** A request lost with a connection that had been kept from an earlier one. */
class Stale extends Error {
  readonly error: Error;
  constructor(error: Error) {
    super(error.message);
    this.error = error;
  }
}

function parseReply({ status, etag, body }: Answer): Reply {
  const data = JSON.parse(body.toString("utf8"));
  if (!["sync", "async", "error"].includes(data?.type)) throw new Error("not an Incus reply");
  return {
    status,
    etag,
    type: data.type,
    metadata: data.metadata,
    error: data.error ?? "",
    errorCode: data.error_code ?? 0,
  };
}
