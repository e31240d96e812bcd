import { type Endpoint, place } from "./endpoint.ts";
import { type About, Forbidden, type IncusError, Unreachable } from "./errors.ts";
import { UntrustedServer } from "./tls.ts";

const START = "start it: systemctl start incus (or repoman's own: repoman daemon status)";

/** What a failed connection means, and what to do about it. */
export function unreachable(about: About, endpoint: Endpoint, error: Error): IncusError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const where = place(endpoint);
  if (error instanceof UntrustedServer) {
    const remote = endpoint.kind === "https" ? endpoint.identity.remote : "";
    return new Unreachable(about, `${where} is not the one expected: ${error.message}`, {
      remedy:
        "if that server was reinstalled, remove and add the remote again " +
        `(incus remote remove ${remote}, incus remote add ${remote} ADDRESS); if not, somebody sits between`,
      cause: error,
    });
  }
  if (endpoint.kind === "unix") {
    if (code === "EACCES" || code === "EPERM") {
      return new Forbidden(about, `${endpoint.path} is not open to this user`, {
        remedy:
          "join the group that may use it and log in again: sudo usermod -aG incus-admin $USER",
        cause: error,
      });
    }
    if (code === "ENOENT" || code === "ENOTDIR") {
      return new Unreachable(about, `there is no Incus socket at ${endpoint.path}`, {
        remedy: `install Incus or ${START}; another socket is named by INCUS_SOCKET or INCUS_DIR`,
        cause: error,
      });
    }
    if (code === "ECONNREFUSED") {
      return new Unreachable(about, `nothing listens on the Incus socket ${endpoint.path}`, {
        remedy: `the daemon has stopped; ${START}`,
        cause: error,
      });
    }
    return new Unreachable(about, `${where} broke the connection off (${code || error.message})`, {
      remedy: `the daemon stopped or restarted meanwhile; ${START}, then run this again`,
      cause: error,
    });
  }
  const { hostname } = endpoint.url;
  const known: Record<string, [string, string]> = {
    ECONNREFUSED: [
      "refuses the connection",
      `on ${hostname}: is incus running, and does core.https_address name this port? (incus config get core.https_address)`,
    ],
    ENOTFOUND: [
      "has a name that cannot be resolved",
      "correct the remote's address: incus remote set-url",
    ],
    EAI_AGAIN: ["has a name that cannot be resolved at the moment", "check this machine's DNS"],
    ETIMEDOUT: [
      "does not answer",
      `check that ${hostname} is up and that no firewall drops the port`,
    ],
    EHOSTUNREACH: [
      "is on a host that cannot be reached",
      `check that ${hostname} is up and the route to it`,
    ],
    ENETUNREACH: ["is on a network that cannot be reached", "check this machine's network"],
  };
  const [what, remedy] = known[code] ?? [
    `broke the connection off (${code || error.message})`,
    "the server stopped or restarted meanwhile, or does not take this client's certificate; run this again",
  ];
  return new Unreachable(about, `${where} ${what}`, { remedy, cause: error });
}
