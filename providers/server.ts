import { connect, type IncusClient } from "../incus/client.ts";
import type { Instance, NetworkLease } from "../incus/types.ts";

const clients = new Map<string, Promise<IncusClient>>();

/**
 * The connection of this process to a server, made once: all handlers share one event loop and
 * the client keeps its connections open.
 * @param remote a remote of the incus client's configuration; empty for the local daemon
 */
export function server(remote: string): Promise<IncusClient> {
  let client = clients.get(remote);
  if (!client) {
    client = connect({ remote });
    client.catch(() => clients.delete(remote));
    clients.set(remote, client);
  }
  return client;
}

const LISTING_MS = 1000;

/** What one request answers for all objects at once. */
export interface Listing {
  /** All instances of a project; none where the project is gone. */
  instances(project: string): Promise<Instance[]>;
  /** The leases of a network that belong to a project's instances. */
  leases(network: string, project: string): Promise<NetworkLease[]>;
}

const listings = new Map<IncusClient, { made: number; listing: Listing }>();

/**
 * The engine reads all resources in one burst, so the answers are shared for a second. Whatever
 * changes something calls `forget()` first.
 */
export function listing(client: IncusClient): Listing {
  const known = listings.get(client);
  if (known && Date.now() - known.made < LISTING_MS) return known.listing;
  const listing = {
    instances: once((project: string) => instancesOf(client, project)),
    leases: once((network: string, project: string) => client.getNetworkLeases(network, project)),
  };
  listings.set(client, { made: Date.now(), listing });
  return listing;
}

export function forget(client: IncusClient): void {
  listings.delete(client);
}

/** All instances of a project as they are now; none where the server says there is no such project. */
export function instancesOf(client: IncusClient, project: string): Promise<Instance[]> {
  return client.getInstances(project, 1);
}

function once<A extends string[], T>(ask: (...key: A) => Promise<T>): (...key: A) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...key) => {
    const id = JSON.stringify(key);
    let answer = answers.get(id);
    if (!answer) {
      answer = ask(...key);
      answers.set(id, answer);
    }
    return answer;
  };
}
