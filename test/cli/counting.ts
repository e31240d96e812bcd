// A socket in front of a daemon's that counts what is asked.

import { chmodSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import type { Daemon } from "../rig/daemon.ts";

export interface Counting {
  /** What `INCUS_SOCKET` is to be. */
  socket: string;
  /** The requests since the last call: `GET /1.0/instances?…`. */
  taken(): string[];
  close(): void;
}

export async function countRequests(daemon: Daemon): Promise<Counting> {
  const socket = join(daemon.dir, "counting.socket");
  let asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    asked.push(`${method} ${url}`);
    const options = { socketPath: daemon.socket, method, path: url, headers, agent: false };
    const onward = request(options as object, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((ready) => server.listen(socket, ready));
  chmodSync(socket, 0o666);
  return {
    socket,
    taken() {
      const taken = asked;
      asked = [];
      return taken;
    },
    close: () => void server.close(),
  };
}
