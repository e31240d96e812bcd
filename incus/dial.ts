import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { http } from "./builtins.ts";
import type { Endpoint } from "./endpoint.ts";
import { dialTls } from "./tls.ts";

const CONNECT_TIMEOUT = 10_000;

type Connected = (error: Error | null, socket?: Duplex) => void;

/** In the shape of Node's `createConnection`: hands over the connection once it is made and its peer judged. */
export function dialer(endpoint: Endpoint): (options: unknown, connected: Connected) => undefined {
  return (_options, connected) => {
    dial(endpoint).then(
      (socket) => connected(null, socket),
      (error) => connected(error),
    );
  };
}

/** Keeps connections for the next request. */
export class DialAgent extends http.Agent {
  override createConnection: (options: unknown, connected: Connected) => undefined;

  constructor(endpoint: Endpoint) {
    super({ keepAlive: true, keepAliveMsecs: 3000, maxFreeSockets: 16 });
    this.createConnection = dialer(endpoint);
  }
}

async function dial(endpoint: Endpoint): Promise<Socket> {
  if (endpoint.kind === "https") {
    const socket = await dialTls(endpoint.url, endpoint.identity, CONNECT_TIMEOUT);
    return socket.setKeepAlive(true, 3000);
  }
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(endpoint.path);
  socket.once("error", reject);
  socket.once("connect", () => {
    socket.off("error", reject);
    resolve(socket);
  });
  return promise;
}
