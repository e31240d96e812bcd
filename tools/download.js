import { createWriteStream, realpathSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { run } from "./run.js";

/** A host that cannot be reached often does not even refuse. */
const ANSWER_MS = 5000;
/** Without a byte for so long a transfer is given up. */
const STALL_MS = 30_000;
const WHOLE_MS = 30 * 60_000;

const ME = fileURLToPath(import.meta.url);

/**
 * Fetches a file, in a process of its own: only a newer Node heeds the proxy of the environment
 * and the certificates of the system, and asks for both before it starts.
 *
 * @param {string} url
 * @param {string} target written as it comes; the caller removes it after a failure
 * @param {object} options
 * @param {string} options.node a Node >= 22.18
 * @param {NodeJS.ProcessEnv} options.env
 * @param {(text: string) => void} [options.onProgress] such as `12 of 110 MB`
 * @returns {Promise<string | undefined>} why it could not be had, undefined when it is there
 */
export async function download(url, target, { node, env, onProgress }) {
  const outcome = await run(node, [ME, url, target], {
    env: { NODE_USE_ENV_PROXY: "1", NODE_USE_SYSTEM_CA: "1", ...env, NODE_NO_WARNINGS: "1" },
    timeoutMs: WHOLE_MS,
    onLine: (line) => {
      if (line.endsWith(" MB")) onProgress?.(line);
    },
  });
  if (outcome.code === 0) return undefined;
  const last = outcome.output.trimEnd().split("\n").at(-1) ?? "";
  return outcome.timedOut ? "it took too long" : last || `exit code ${outcome.code}`;
}

/**
 * @param {string} url
 * @param {string} target
 */
async function transfer(url, target) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(new Error("no answer")), ANSWER_MS);
  const response = await fetch(url, { signal: abort.signal });
  if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`);
  const total = Number(response.headers.get("content-length"));
  const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / 1e6);
  let done = 0;
  let told = 0;
  const watch = new Transform({
    transform(chunk, _encoding, next) {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(new Error("the transfer stalled")), STALL_MS);
      done += chunk.length;
      if (Date.now() - told > 500) {
        told = Date.now();
        process.stdout.write(`${megabytes(done)} of ${total ? megabytes(total) : "?"} MB\n`);
      }
      next(null, chunk);
    },
  });
  try {
    const body = /** @type {import("node:stream/web").ReadableStream} */ (response.body);
    await pipeline(Readable.fromWeb(body), watch, createWriteStream(target), {
      signal: abort.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === ME) {
  const [, , url = "", target = ""] = process.argv;
  try {
    await transfer(url, target);
    process.exit(0);
  } catch (error) {
    // `fetch failed` says nothing; what lies behind it does.
    const reason = error instanceof Error ? (error.cause ?? error) : error;
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (reason);
    process.stderr.write(`${[code, message].filter(Boolean).join(": ") || reason}\n`);
    process.exit(1);
  }
}
