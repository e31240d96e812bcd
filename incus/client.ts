import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, endpoints, place } from "./endpoint.ts";
import { Forbidden, Unreachable } from "./errors.ts";
import { type HostCalls, hostCalls } from "./host.ts";
import { type ImageCalls, imageCalls } from "./images.ts";
import { type InstanceCalls, instanceCalls } from "./instances.ts";
import { type ProfileCalls, profileCalls } from "./profiles.ts";
import { type ProjectCalls, projectCalls } from "./projects.ts";
import { apiPath, Transport } from "./transport.ts";
import type { Server } from "./types.ts";

/**
 * One Incus server. All calls have a timeout, name the object in their errors (`errors.ts`), and
 * reject when the server goes away in the middle.
 */
export interface IncusClient
  extends HostCalls,
    ProjectCalls,
    ProfileCalls,
    InstanceCalls,
    ImageCalls {
  /** `local`, or the remote's name */
  readonly remote: string;
  /** Where it is, in words */
  readonly place: string;
  /** As it was when the connection was made */
  readonly server: Server;
  /** Ends all connections; idle ones do not keep the process alive. */
  close(): void;
}

export interface ConnectOptions {
  /** Empty or `local`: this machine's daemon; else a remote of the incus client's configuration */
  remote?: string | undefined;
  env?: NodeJS.ProcessEnv;
}

/** A daemon that hangs is told from one that works within this time; milliseconds. */
const FIRST_ANSWER = 15_000;

/**
 * Finds the server, and asks it once who we are to it.
 * @throws Unreachable; Forbidden when this user or certificate may not administer it; Fault (exit 3)
 *   for a remote that is not there or cannot be used
 */
export async function connect({
  remote = "",
  env = process.env,
}: ConnectOptions = {}): Promise<IncusClient> {
  const candidates = endpoints(remote, env);
  let failure: unknown;
  for (const endpoint of candidates) {
    try {
      return await open(remote || "local", endpoint);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

async function open(remote: string, endpoint: Endpoint): Promise<IncusClient> {
  const transport = new Transport(endpoint);
  try {
    const host = hostCalls(transport);
    const server = await awake(host);
    await admit(server, transport);
    return {
      remote,
      place: place(endpoint),
      server,
      ...host,
      ...projectCalls(transport),
      ...profileCalls(transport),
      ...instanceCalls(transport),
      ...imageCalls(transport),
      close: () => transport.close(),
    };
  } catch (error) {
    transport.close();
    throw error;
  }
}

/** A daemon that the first request wakes, through systemd's socket, says so until it is up. */
async function awake(host: HostCalls): Promise<Server> {
  const deadline = Date.now() + FIRST_ANSWER;
  for (;;) {
    try {
      return await host.getServer(FIRST_ANSWER);
    } catch (error) {
      const starting = error instanceof Unreachable && error.status === 503;
      if (!starting || Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

/** Only unrestricted clients can make projects and profiles. */
async function admit(server: Server, transport: Transport): Promise<void> {
  const { endpoint } = transport;
  const about = { verb: "use", subject: place(endpoint) };
  if (server.auth !== "trusted") {
    throw new Forbidden(about, "it does not trust this client's certificate", {
      remedy:
        "there: incus config trust add NAME; here, with the token that it prints: incus remote add REMOTE TOKEN",
    });
  }
  if (!(await isRestricted(server, transport))) return;
  if (endpoint.kind === "unix") {
    const what =
      "this user has the restricted rights of group incus, which cannot make projects and profiles";
    throw new Forbidden(about, what, {
      remedy: "join group incus-admin and log in again: sudo usermod -aG incus-admin $USER",
    });
  }
  throw new Forbidden(about, "this client's certificate is restricted to some projects", {
    remedy: `there: incus config trust edit ${server.auth_user_name?.slice(0, 12)}, and set restricted: false`,
  });
}

async function isRestricted(server: Server, transport: Transport): Promise<boolean> {
  // The socket's own users are root's equals; the socket of group incus signs in by certificate.
  if (server.auth_user_method !== "tls" || !server.auth_user_name) return false;
  // Only the unrestricted are shown more than the keys that are everybody's.
  if (Object.keys(server.config ?? {}).some((key) => !key.startsWith("user."))) return false;
  const reply = await transport.raw({
    method: "GET",
    path: apiPath(["certificates", server.auth_user_name]),
    about: { verb: "read", subject: "this client's certificate on the server" },
    timeoutMs: FIRST_ANSWER,
  });
  return (reply.metadata as { restricted?: boolean } | undefined)?.restricted === true;
}
