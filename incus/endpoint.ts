import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { EXIT, Fault } from "../host/fault.js";
import { findRemote, type Remote } from "./remotes.ts";
import { type Identity, identity } from "./tls.ts";

/** Where a server listens, and what it takes to talk to it. */
export type Endpoint =
  | { kind: "unix"; path: string }
  | { kind: "https"; url: URL; identity: Identity };

/**
 * The daemon's socket, found as the incus client finds it: `INCUS_SOCKET`, `INCUS_DIR`, then the
 * system's paths. One who may only use the socket of group `incus` gets that one, and is told
 * by `connect()` what it lacks.
 */
export function localSocket(env: NodeJS.ProcessEnv): Endpoint & { kind: "unix" } {
  if (env.INCUS_SOCKET) return { kind: "unix", path: env.INCUS_SOCKET };
  const system = existsSync("/run/incus/unix.socket") ? "/run/incus" : "/var/lib/incus";
  const folder = env.INCUS_DIR || system;
  const path = join(folder, "unix.socket");
  const user = join(folder, "unix.socket.user");
  if (!writable(path) && writable(user)) return { kind: "unix", path: user };
  return { kind: "unix", path };
}

/**
 * The endpoints of a remote, in the order in which to try them.
 * @param remote empty or `local` for the daemon of this machine, else a name in the incus client's
 *   configuration
 * @throws Fault (exit 3) when there is no such remote or it cannot be used
 */
export function endpoints(remote: string, env: NodeJS.ProcessEnv): Endpoint[] {
  if (remote === "" || remote === "local") return [localSocket(env)];
  const found = findRemote(remote, env);
  if (found.public || found.protocol !== "incus") {
    throw new Fault(`remote ${JSON.stringify(remote)} only serves images`, {
      remedy: "name a remote of protocol incus that is not public (`incus remote list`)",
      exitCode: EXIT.environment,
    });
  }
  if (found.authType !== "tls") {
    throw new Fault(
      `remote ${JSON.stringify(remote)} signs in by ${found.authType}, which repoman cannot`,
      {
        remedy: `add it with a client certificate: incus remote add ${remote} ${found.addresses[0]} --auth-type tls`,
        exitCode: EXIT.environment,
      },
    );
  }
  return found.addresses.map((address) => endpoint(found, address, env));
}

function endpoint(remote: Remote, address: string, env: NodeJS.ProcessEnv): Endpoint {
  if (address.startsWith("unix:")) {
    const path = address.replace(/^unix:(\/\/)?/, "");
    return path ? { kind: "unix", path } : localSocket(env);
  }
  let url: URL | undefined;
  try {
    url = new URL(address);
  } catch {}
  if (url?.protocol !== "https:") {
    throw new Fault(`remote ${JSON.stringify(remote.name)} has no usable address: ${address}`, {
      remedy: `correct it: incus remote set-url ${remote.name} https://HOST:8443`,
      exitCode: EXIT.environment,
    });
  }
  return { kind: "https", url, identity: identity(remote) };
}

/** The server in words. */
export function place(endpoint: Endpoint): string {
  return endpoint.kind === "unix"
    ? `the Incus daemon at ${endpoint.path}`
    : `the Incus server ${endpoint.url.origin} (remote ${JSON.stringify(endpoint.identity.remote)})`;
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Which of `INCUS_REMOTE` and `INCUS_PROJECT` are set. The incus client heeds them; repoman takes
 * remote and project from its own configuration, since a variable in one shell must not move an
 * estate to another server. The caller says so, once.
 */
export function ignoredVariables(env: NodeJS.ProcessEnv = process.env): string[] {
  return ["INCUS_REMOTE", "INCUS_PROJECT"].filter((name) => env[name]);
}
