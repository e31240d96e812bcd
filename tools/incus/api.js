import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, Fault } from "../../host/fault.js";

/** What the server answered instead of doing it. */
export class ApiError extends Error {
  /**
   * @param {string} message the server's own words
   * @param {number} status HTTP status; 0 for an operation that failed
   */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** No answer at all. `code` is the system's, such as `ECONNREFUSED`, or `ABORT_ERR` after a timeout. */
export class Unreachable extends Fault {
  /**
   * @param {string} socket
   * @param {Error} cause
   */
  constructor(socket, cause) {
    const { code = "" } = /** @type {NodeJS.ErrnoException} */ (cause);
    const why = code === "ABORT_ERR" ? "it did not answer in time" : cause.message;
    super(`The Incus daemon at ${socket} cannot be reached: ${why}`, {
      remedy: "start it: npm start",
      exitCode: EXIT.environment,
      cause,
    });
    this.code = code;
  }
}

/**
 * The few REST calls that set-up makes, on the local socket. The estate has a client of its own
 * (`incus/`, TypeScript), which cannot run yet when set-up does.
 */
export class Api {
  /** @param {string} socket */
  constructor(socket) {
    this.socket = socket;
  }

  /**
   * @param {string} path from `/1.0`, names in it already escaped
   * @param {number} [timeoutMs]
   * @returns {Promise<any>} the answer's metadata
   */
  get(path, timeoutMs) {
    return this.#call("GET", path, undefined, timeoutMs);
  }

  /**
   * @param {string} path of a collection
   * @returns {Promise<any[]>} its members; the server says null when there are none
   */
  async list(path) {
    return (await this.get(path)) ?? [];
  }

  /** @param {string} path @param {unknown} body */
  post(path, body) {
    return this.#call("POST", path, body);
  }

  /** @param {string} path @param {unknown} body */
  put(path, body) {
    return this.#call("PUT", path, body);
  }

  /** @param {string} path @param {unknown} body */
  patch(path, body) {
    return this.#call("PATCH", path, body);
  }

  /** @param {string} path */
  delete(path) {
    return this.#call("DELETE", path);
  }

  /**
   * Whether something is there.
   * @param {string} path
   * @returns {Promise<any | undefined>} its metadata, or undefined on an honest 404
   */
  async find(path) {
    try {
      return await this.get(path);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {number} [timeoutMs]
   */
  async #call(method, path, body, timeoutMs = 60_000) {
    const answer = await this.#send(method, path, body, timeoutMs);
    if (answer.type === "error") throw new ApiError(answer.error, answer.error_code);
    if (answer.type !== "async") return answer.metadata;
    const { id } = answer.metadata;
    const done = await this.#send(
      "GET",
      `/1.0/operations/${id}/wait?timeout=600`,
      undefined,
      610_000,
    );
    if (done.type === "error") throw new ApiError(done.error, done.error_code);
    if (done.metadata.status_code !== 200) {
      throw new ApiError(done.metadata.err || `${done.metadata.status}: ${method} ${path}`, 0);
    }
    return done.metadata;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {number} timeoutMs
   * @returns {Promise<any>}
   */
  async #send(method, path, body, timeoutMs) {
    // Where the daemon is, is asked far more often than the daemon.
    const { request: httpRequest } = await import("node:http");
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const request = httpRequest(
        {
          socketPath: this.socket,
          // A connection of its own, so that nothing keeps the process alive afterwards.
          agent: false,
          method,
          path,
          headers: payload
            ? { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }
            : {},
          signal: AbortSignal.timeout(timeoutMs),
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk) => {
            text += chunk;
          });
          response.on("error", (error) => reject(new Unreachable(this.socket, error)));
          response.on("end", () => {
            try {
              resolve(JSON.parse(text));
            } catch {
              const start = JSON.stringify(text.slice(0, 80));
              reject(
                new ApiError(`not an Incus server: it answered ${start}`, response.statusCode ?? 0),
              );
            }
          });
        },
      );
      request.on("error", (error) => reject(new Unreachable(this.socket, error)));
      request.end(payload);
    });
  }
}

/**
 * Waits until the daemon has finished starting.
 *
 * @param {string} socket
 * @param {object} options
 * @param {number} options.timeoutMs
 * @param {() => Promise<string | undefined>} [options.failed] a reason why it never will; asked between tries
 * @param {() => string} options.hint what to look at if it does not
 */
export async function waitUntilReady(socket, { timeoutMs, failed, hint }) {
  const api = new Api(socket);
  const deadline = Date.now() + timeoutMs;
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 500)) {
    try {
      await api.get("/internal/ready", Math.max(1000, deadline - Date.now()));
      return;
    } catch (error) {
      const code = /** @type {NodeJS.ErrnoException} */ (error).code;
      // The one who may not connect will not be let in later either; others judge that.
      if (code === "EACCES" || code === "EPERM") return;
      const reason = await failed?.();
      if (reason || Date.now() > deadline) {
        const why = reason ?? `no answer within ${Math.round(timeoutMs / 1000)} s`;
        throw new Fault(`The Incus daemon at ${socket} did not come up: ${why}`, {
          remedy: hint(),
          exitCode: EXIT.environment,
          cause: error,
        });
      }
      await sleep(pause);
    }
  }
}
