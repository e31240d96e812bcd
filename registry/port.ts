import { isIP, isIPv6 } from "node:net";
import type { Rule } from "./rules.ts";
import type { Port } from "./types.ts";

const SHAPE = /^(?:(?:\[([^\]]*)\]|(\d+\.[\d.]+)):)?(\d{1,5})(?::(\d{1,5}))?(?:\/(tcp|udp))?$/;
const LOOPBACK = "127.0.0.1";

/**
 * @param value `3000`, `3000:80`, `127.0.0.1:3000:80` or `[::1]:3000:80`, each with `/udp` if need
 *   be; the host's side comes first
 * @returns what it means, or nothing where it means nothing
 */
export function parsePort(value: string): Omit<Port, "device"> | undefined {
  const match = SHAPE.exec(value);
  if (!match) return undefined;
  const [, v6, other, first, second, protocol] = match;
  const address = v6 ?? other;
  // `host:3000` would be one port on an address: too easily taken for listen and connect.
  if (address !== undefined && second === undefined) return undefined;
  if (address !== undefined && (v6 === undefined ? isIP(address) !== 4 : !isIPv6(address))) {
    return undefined;
  }
  const listen = Number(first);
  const connect = Number(second ?? first);
  if (![listen, connect].every((port) => port >= 1 && port <= 65_535)) return undefined;
  return {
    listen,
    connect,
    protocol: protocol === "udp" ? "udp" : "tcp",
    address: address ?? LOOPBACK,
  };
}

/** A port of the host that leads into the container. */
export const port: Rule = (value) =>
  parsePort(value)
    ? undefined
    : {
        what: "is no port",
        remedy:
          'write host and container port such as "3000:3000", "8080:80/udp" or "127.0.0.1:8080:80"',
      };

/** The name of the proxy device for a port: the same wherever it stands in the list. */
export function portDevice({ listen, protocol, address }: Omit<Port, "device">): string {
  const where = address === LOOPBACK ? "" : `${address}-`;
  return `port-${where}${listen}${protocol === "udp" ? "-udp" : ""}`;
}

/** A stretch of ports that the host listens on for a container. */
export interface Listener {
  protocol: string;
  address: string;
  first: number;
  last: number;
}

/**
 * What a proxy device listens on: `tcp:127.0.0.1:3000`, with lists and ranges of ports as Incus
 * takes them. Unix sockets and what cannot be read give nothing; Incus judges those.
 */
export function listeners(listen: string): Listener[] {
  const match = /^(tcp|udp):(?:\[([^\]]*)\]|([^:]*)):([\d,-]+)$/.exec(listen);
  if (!match) return [];
  const [, protocol = "", v6, v4, ports = ""] = match;
  return ports.split(",").flatMap((part) => {
    const [first, last] = part.split("-").map(Number);
    if (!first) return [];
    return [{ protocol, address: v6 ?? v4 ?? "", first, last: last || first }];
  });
}

/** Whether listening on one address takes the port of the other: `::` takes IPv4 too. */
function covers(a: string, b: string): boolean {
  return a === b || a === "" || a === "::" || (a === "0.0.0.0" && !isIPv6(b));
}

/** Whether two listeners want the same port of the same address. */
export function clash(a: Listener, b: Listener): boolean {
  return (
    a.protocol === b.protocol &&
    a.first <= b.last &&
    b.first <= a.last &&
    (covers(a.address, b.address) || covers(b.address, a.address))
  );
}
