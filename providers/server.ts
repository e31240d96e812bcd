import { connect, type IncusClient } from "../incus/client.ts";
import { NotFound } from "../incus/errors.ts";
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
  leases(network: string): Promise<NetworkLease[]>;
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
    instances: once((project) => instancesOf(client, project)),
    leases: once((network) => client.getNetworkLeases(network)),
  };
  listings.set(client, { made: Date.now(), listing });
  return listing;
}

export function forget(client: IncusClient): void {
  listings.delete(client);
}

/** All instances of a project as they are now; none where the server says there is no such project. */
export async function instancesOf(client: IncusClient, project: string): Promise<Instance[]> {
  try {
    return await client.getInstances(project, 1);
  } catch (error) {
    if (error instanceof NotFound) return [];
    throw error;
  }
}

function once<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key) => {
    let answer = answers.get(key);
    if (!answer) {
      answer = ask(key);
      answers.set(key, answer);
    }
    return answer;
  };
}
