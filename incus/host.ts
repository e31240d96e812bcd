import { named } from "./errors.ts";
import { type WaitOptions, wait } from "./operations.ts";
import { apiPath, type Transport } from "./transport.ts";
import type { Network, NetworkLease, Operation, Server, StoragePool } from "./types.ts";

export type HostCalls = ReturnType<typeof hostCalls>;

/** The server itself and what it offers to instances. */
export function hostCalls(transport: Transport) {
  async function list<T>(path: string, subject: string): Promise<T[]> {
    const reply = await transport.request({
      method: "GET",
      path,
      about: { verb: "list", subject },
    });
    return reply.metadata as T[];
  }

  return {
    async getServer(timeoutMs?: number): Promise<Server> {
      const reply = await transport.request({
        method: "GET",
        path: apiPath([]),
        about: { verb: "read", subject: "the server's state" },
        timeoutMs,
      });
      return reply.metadata as Server;
    },

    /** All networks of the host; those that Incus manages have `managed`. */
    getNetworks(): Promise<Network[]> {
      return list(apiPath(["networks"], { recursion: 1 }), "the networks");
    },

    /**
     * The addresses that a network's DHCP gave to a project's instances (the server leaves out those
     * of other projects), the cheapest way to many containers' addresses.
     * @throws NotFound
     */
    async getNetworkLeases(network: string, project: string): Promise<NetworkLease[]> {
      const reply = await transport.request({
        method: "GET",
        path: apiPath(["networks", network, "leases"], { project }),
        about: { verb: "read", subject: `the leases of ${named("network", network)}` },
      });
      return reply.metadata as NetworkLease[];
    },

    getStoragePools(): Promise<StoragePool[]> {
      return list(apiPath(["storage-pools"], { recursion: 1 }), "the storage pools");
    },

    /** What the server is doing for a project; finished operations stay for some seconds. */
    getOperations(project: string): Promise<Operation[]> {
      return operations(transport, project);
    },

    /**
     * Waits for an operation that somebody else began.
     * @param id its id, without the path
     * @throws OperationFailed and what else its failure maps to; TimedOut; Unreachable
     */
    waitOperation(id: string, options: WaitOptions = {}): Promise<Operation> {
      return wait(transport, { id }, options);
    },
  };
}

/** The operations of a project, whatever their state. */
export async function operations(transport: Transport, project: string): Promise<Operation[]> {
  const reply = await transport.request({
    method: "GET",
    path: apiPath(["operations"], { recursion: 1, project }),
    about: { verb: "list", subject: `the operations in project ${JSON.stringify(project)}` },
  });
  // Grouped by state: { running: [...], success: [...] }
  return Object.values((reply.metadata ?? {}) as Record<string, Operation[]>).flat();
}
