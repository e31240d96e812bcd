import type { IncusClient } from "../incus/client.ts";
import { NotFound } from "../incus/errors.ts";
import type { Instance } from "../incus/types.ts";
import { globalAddress, leased, nicsOf } from "../providers/container/live.ts";

/**
 * The IPv4 addresses of running instances, by name, in at most one request however many there are:
 * the leases of the network that they share, which takes a hundredth of the time, or the state of all
 * where they are on several, or on one that Incus does not manage.
 */
export async function addressesOf(
  client: IncusClient,
  project: string,
  instances: readonly Instance[],
): Promise<Map<string, string>> {
  const running = instances.filter(
    (instance) => instance.status === "Running" && nicsOf(instance).length > 0,
  );
  if (running.length === 0) return new Map();
  const networks = new Set(running.flatMap((each) => nicsOf(each).map(({ network }) => network)));
  const [only] = networks;
  if (networks.size === 1 && only !== undefined) {
    const leases = await client.getNetworkLeases(only, project).catch((error: unknown) => {
      if (error instanceof NotFound) return [];
      throw error;
    });
    return named(running, (instance) => leased(instance, leases));
  }
  const whole = await client.getInstances(project, 2);
  return named(whole, ({ state }) => globalAddress(state?.network ?? null));
}

function named(
  instances: readonly Instance[],
  addressOf: (instance: Instance) => string | null | undefined,
): Map<string, string> {
  return new Map(
    instances.flatMap((instance) => {
      const address = addressOf(instance);
      return address ? [[instance.name, address] as const] : [];
    }),
  );
}
