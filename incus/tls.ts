import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { EXIT, Fault } from "../host/fault.js";
import { tls } from "./builtins.ts";
import type { Remote } from "./remotes.ts";

/** The client's certificate and what it expects of the server's. */
export interface Identity {
  cert: string;
  key: string;
  /** The server's certificate; with one, nothing else about the server's identity counts. */
  pinned: X509Certificate | undefined;
  /** The authority of a server in PKI mode, PEM */
  ca: string | undefined;
  /** Where the pinned certificate is, or would be */
  serverCert: string;
  remote: string;
}

/** The server's certificate is not the pinned one, or no authority vouches for it. */
export class UntrustedServer extends Error {}

/**
 * Reads a remote's client certificate: `clientcerts/<remote>.*` before `client.*`, as the incus
 * client does.
 * @throws Fault (exit 3) when there is none, or its key has a password
 */
export function identity(remote: Remote): Identity {
  const own = pair(join(remote.clientDir, "clientcerts", remote.name));
  const { cert, key, ca } = own ?? pair(join(remote.clientDir, "client")) ?? {};
  if (cert === undefined || key === undefined) {
    throw new Fault(
      `remote ${JSON.stringify(remote.name)} needs a client certificate, and ${remote.clientDir} has none`,
      {
        remedy: `make one and have it trusted: incus remote generate-certificate, then incus remote add ${remote.name} ADDRESS`,
        exitCode: EXIT.environment,
      },
    );
  }
  if (/ENCRYPTED|OPENSSH PRIVATE KEY/.test(key)) {
    throw new Fault(
      `the client key for remote ${JSON.stringify(remote.name)} has a password, which nobody is there to type`,
      {
        remedy: `give this remote a key of its own without one: ${join(remote.clientDir, "clientcerts", `${remote.name}.key`)}`,
        exitCode: EXIT.environment,
      },
    );
  }
  const pem = read(remote.serverCert);
  return {
    cert,
    key,
    ca,
    pinned: pem === undefined ? undefined : certificate(pem, remote.serverCert),
    serverCert: remote.serverCert,
    remote: remote.name,
  };
}

/**
 * A TLS connection on which nothing has been sent yet, to a server that is the expected one.
 * With a pinned certificate the server's must be that very one, whatever its name or age; without,
 * the system's authorities (or `client.ca`) must vouch for it.
 * @throws UntrustedServer; a system error when it cannot be reached
 */
export function dialTls(url: URL, who: Identity, timeoutMs: number): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = tls.connect({
    host,
    port: Number(url.port || 443),
    ...(isIP(host) ? {} : { servername: host }),
    cert: who.cert,
    key: who.key,
    minVersion: "TLSv1.3",
    // Judged below, before a byte is sent, so that the message can say what differs.
    rejectUnauthorized: false,
    ...(who.pinned ? {} : { ca: who.ca ?? authorities() }),
  });
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
  }, timeoutMs);
  socket.once("error", reject);
  socket.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
  socket.once("secureConnect", () => {
    const peer = socket.getPeerX509Certificate();
    const trouble = who.pinned
      ? peer?.raw.equals(who.pinned.raw)
        ? undefined
        : `its certificate (${print(peer)}) is not the one in ${who.serverCert} (${print(who.pinned)})`
      : socket.authorized
        ? undefined
        : `its certificate is not trusted: ${socket.authorizationError}`;
    if (trouble) {
      reject(new UntrustedServer(trouble));
      socket.destroy();
    } else {
      resolve(socket);
    }
  });
  return promise.finally(() => clearTimeout(timer));
}

let cached: string[] | undefined;
function authorities(): string[] {
  cached ??= [...tls.getCACertificates("default"), ...tls.getCACertificates("system")];
  return cached;
}

function print(certificate: X509Certificate | undefined): string {
  return certificate
    ? certificate.fingerprint256.replaceAll(":", "").toLowerCase().slice(0, 12)
    : "none";
}

function pair(base: string): { cert: string; key: string; ca: string | undefined } | undefined {
  const cert = read(`${base}.crt`);
  const key = read(`${base}.key`);
  return cert === undefined || key === undefined
    ? undefined
    : { cert, key, ca: read(`${base}.ca`) };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Fault(`${file} cannot be read: ${(error as Error).message}`, {
      remedy: "give this user the right to read it",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}

function certificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new Fault(`${file} is not a certificate`, {
      remedy:
        "remove the remote and add it again: incus remote remove NAME, incus remote add NAME ADDRESS",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}
