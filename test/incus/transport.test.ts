import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect } from "../../incus/client.ts";
import { Unreachable } from "../../incus/errors.ts";
import { apiPath, Transport } from "../../incus/transport.ts";
import { unreachable } from "../../incus/unreachable.ts";

// Servers that misbehave as a real daemon does only when it dies: what the client makes of that.

let folder: string;
let path: string;
let server: Server | undefined;
let transport: Transport;
let sockets: Set<Socket>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "incus-"));
  path = join(folder, "unix.socket");
  transport = new Transport({ kind: "unix", path });
  sockets = new Set();
});
afterEach(() => {
  transport.close();
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answer): Promise<void> {
  server = createServer(answer);
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server?.listen(path, () => resolve()));
}

const sync = (metadata: unknown) => JSON.stringify({ type: "sync", status_code: 200, metadata });
const about = { verb: "read", subject: "it" };
const get = (more: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  transport.request({ method: "GET", path: apiPath(["projects"]), about, ...more });

describe("without a daemon", () => {
  test("a missing socket says where it should be", async () => {
    await expect(get()).rejects.toMatchObject({
      name: "Unreachable",
      exitCode: 3,
      message: expect.stringContaining(`there is no Incus socket at ${path}`),
      remedy: expect.stringContaining("INCUS_SOCKET"),
    });
  });

  test("a socket that nobody listens on says that the daemon has stopped", async () => {
    // A daemon that is killed leaves its socket; to connect to any file fails the same way.
    writeFileSync(`${path}.old`, "");
    await expect(
      new Transport({ kind: "unix", path: `${path}.old` }).request({
        method: "GET",
        path: "/1.0",
        about,
      }),
    ).rejects.toMatchObject({
      name: "Unreachable",
      message: expect.stringContaining("nothing listens"),
    });
  });
});

test("a socket that is not open to the user names the group to join", () => {
  const error = Object.assign(new Error("connect EACCES"), { code: "EACCES" });
  expect(unreachable(about, { kind: "unix", path }, error)).toMatchObject({
    name: "Forbidden",
    exitCode: 3,
    remedy: expect.stringContaining("incus-admin"),
  });
});

describe("a daemon that dies", () => {
  test("before it answers is Unreachable at once", async () => {
    await serve((request) => request.socket.destroy());
    await expect(get()).rejects.toBeInstanceOf(Unreachable);
  });

  test("in the middle of its answer is Unreachable at once", async () => {
    await serve((request, response) => {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write('{"type":"sync",');
      setTimeout(() => request.socket.destroy(), 20);
    });
    await expect(get()).rejects.toBeInstanceOf(Unreachable);
  });

  test("between two requests is not noticed when it is back", async () => {
    await serve((_request, response) => response.end(sync([])));
    await get();
    for (const socket of sockets) socket.destroy();
    expect((await get()).metadata).toEqual([]);
  });

  test("just as a kept connection is taken up again is asked once more, but only to read", async () => {
    let requests = 0;
    await serve((request, response) => {
      if (++requests % 2 === 0) request.socket.destroy();
      else response.end(sync([]));
    });
    await get();
    await get();
    expect(requests).toBe(3);
    const post = transport.request({
      method: "POST",
      path: apiPath(["projects"]),
      body: {},
      about,
    });
    await expect(post).rejects.toBeInstanceOf(Unreachable);
    expect(requests).toBe(4);
  });
});

describe("a daemon that does not answer", () => {
  test("is given up after the request's time", async () => {
    await serve(() => {});
    await expect(get({ timeoutMs: 100 })).rejects.toMatchObject({
      name: "Unreachable",
      message: expect.stringContaining("did not answer within 0.1 s"),
    });
  });

  test("is left alone when the caller gives up", async () => {
    await serve(() => {});
    const reason = new Error("enough");
    await expect(get({ signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
    await expect(get({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("an answer", () => {
  test("that is no Incus server's is never a 404", async () => {
    await serve((_request, response) => {
      response.statusCode = 404;
      response.end("<h1>Not Found</h1>");
    });
    await expect(get()).rejects.toMatchObject({
      name: "Unreachable",
      message: expect.stringContaining("not as an Incus server (HTTP 404)"),
    });
  });

  test("comes over a kept connection", async () => {
    await serve((_request, response) => response.end(sync([])));
    for (let i = 0; i < 5; i++) await get();
    expect(sockets.size).toBe(1);
  });
});

test("a daemon that is just waking up is waited for", async () => {
  let requests = 0;
  await serve((_request, response) => {
    if (++requests > 2) return response.end(sync({ auth: "trusted", auth_user_method: "unix" }));
    response.statusCode = 503;
    return response.end('{"type":"error","error":"Daemon is starting up","error_code":503}');
  });
  (await connect({ env: { INCUS_SOCKET: path } })).close();
  expect(requests).toBe(3);
});

test("a client whose certificate is not trusted is told so", async () => {
  await serve((_request, response) => response.end(sync({ auth: "untrusted", config: {} })));
  await expect(connect({ env: { INCUS_SOCKET: path } })).rejects.toMatchObject({
    name: "Forbidden",
    exitCode: 3,
  });
});

describe("a path", () => {
  test("has every segment encoded", () => {
    expect(apiPath(["instances", "a/../b?c#d e\n"], { project: "x&y=1" })).toBe(
      "/1.0/instances/a%2F..%2Fb%3Fc%23d%20e%0A?project=x%26y%3D1",
    );
    expect(apiPath([])).toBe("/1.0");
  });

  test.each(["", ".", ".."])("cannot be led astray by the name %j", (name) => {
    expect(() => apiPath(["instances", name])).toThrow("is not a name");
  });
});
