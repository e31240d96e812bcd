import { request } from "node:http";

/** What Incus answers: `metadata` of a synchronous call, or of the finished operation. */
export interface Answer {
  status: number;
  etag: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a test names the fields it looks at
  metadata: any;
}

export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

/** An error that Incus reported, with its own words. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The tests' own way to the server, on purpose apart from `incus/`: what is under test should not
 * be its own witness. Waits for operations.
 *
 * @param socket the daemon's unix socket
 * @param path from `/1.0` on
 * @param body JSON, or bytes for an image
 */
export async function call(
  socket: string,
  method: Method,
  path: string,
  body?: object | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await once(socket, method, path, body, headers);
  const text = answer.text.trim();
  if (!text.startsWith("{")) return { status: answer.status, etag: answer.etag, metadata: text };
  const reply = JSON.parse(text);
  if (reply.type === "error") throw new ApiError(reply.error_code, `${path}: ${reply.error}`);
  if (reply.type !== "async") {
    return { status: answer.status, etag: answer.etag, metadata: reply.metadata };
  }
  const done = await call(socket, "GET", `${reply.operation}/wait?timeout=120`);
  const { status_code: code, err } = done.metadata;
  if (code !== 200) throw new ApiError(code, `${path}: ${err || done.metadata.status}`);
  return done;
}

function once(
  socket: string,
  method: Method,
  path: string,
  body: object | Uint8Array | undefined,
  headers: Record<string, string>,
): Promise<{ status: number; etag: string | undefined; text: string }> {
  const isRaw = body instanceof Uint8Array;
  const payload = body === undefined || isRaw ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: socket,
        method,
        path,
        headers: {
          "content-type": isRaw ? "application/octet-stream" : "application/json",
          ...headers,
        },
        timeout: 130_000,
        // A kept connection may be one that a daemon has closed meanwhile.
        agent: false,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, etag: response.headers.etag, text });
        });
      },
    );
    call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer`)));
    call.on("error", reject);
    call.end(payload);
  });
}
