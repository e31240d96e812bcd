// The host's address on its network: for `${HOST_LAN_IP}` in profiles.

import { readFile } from "node:fs/promises";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { EXIT, Fault } from "../../host/fault.js";
import { nearest, quote } from "../../registry/text.ts";

export interface LanAddress {
  address: string;
  /** Why this one. */
  because: string;
}

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * @param named the interface that was asked for, else the one with the default route is taken
 * @param known what the registry has: it stays while it is one of this host's, unless another
 *   interface was asked for
 * @returns undefined where there is none to be found
 * @throws Fault (environment) for an interface that is not there or has no address
 */
export async function lanAddress(
  named: string | undefined,
  known: string | undefined,
): Promise<LanAddress | undefined> {
  const routes = await readFile("/proc/net/route", "utf8").catch(() => "");
  return chooseAddress({ named, known, interfaces: networkInterfaces(), routes });
}

/** The same, of what was read. Pure. */
export function chooseAddress({
  named,
  known,
  interfaces,
  routes,
}: {
  named: string | undefined;
  known: string | undefined;
  interfaces: Interfaces;
  /** The text of /proc/net/route. */
  routes: string;
}): LanAddress | undefined {
  if (named !== undefined) {
    const address = addressOf(interfaces, named);
    if (address !== undefined) return { address, because: `of ${named}` };
    const names = Object.keys(interfaces).filter((each) => addressOf(interfaces, each));
    const near = nearest(named, names);
    throw new Fault(
      `the interface ${quote(named)} ${named in interfaces ? "has no IPv4 address" : "is not there"}`,
      {
        remedy: `${near ? `Did you mean ${quote(near)}? ` : ""}There are: ${names.join(", ") || "none"}.`,
        exitCode: EXIT.environment,
      },
    );
  }
  const all = Object.values(interfaces).flatMap((each) => each ?? []);
  if (known && all.some(({ address }) => address === known)) {
    return { address: known, because: "as before, and still this host's" };
  }
  const via = defaultRoute(routes);
  const address = via === undefined ? undefined : addressOf(interfaces, via);
  return address === undefined ? undefined : { address, because: `of ${via}, the default route` };
}

function addressOf(interfaces: Interfaces, name: string): string | undefined {
  return interfaces[name]?.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}

/** The interface of the default route with the least metric. @param routes /proc/net/route */
export function defaultRoute(routes: string): string | undefined {
  const found = routes
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, destination, , flags, , , , mask]) => {
      // Up, and to everywhere.
      const up = (Number.parseInt(flags ?? "0", 16) & 1) === 1;
      return up && destination === "00000000" && mask === "00000000";
    })
    .map(([name = "", , , , , , metric]) => ({ name, metric: Number(metric) }));
  return found.sort((a, b) => a.metric - b.metric)[0]?.name;
}
