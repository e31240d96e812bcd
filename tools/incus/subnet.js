import { createHash } from "node:crypto";
import { EXIT, Fault } from "../../host/fault.js";
import { run } from "./process.js";

/**
 * An IPv4 network as numbers: the first address, and how many bits of it are fixed.
 * @typedef {{ first: number, bits: number }} Network
 */

/** @param {string} text `10.1.2.0/24`, or an address alone @returns {Network | undefined} */
export function parseNetwork(text) {
  const [address = "", length = "32"] = text.split("/");
  const bytes = address.split(".").map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !(byte >= 0 && byte <= 255))) return undefined;
  const bits = Number(length);
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - bits);
  return { first: Math.floor(value / size) * size, bits };
}

/** @param {Network} a @param {Network} b */
function overlap(a, b) {
  const size = 2 ** (32 - Math.min(a.bits, b.bits));
  return Math.floor(a.first / size) === Math.floor(b.first / size);
}

/**
 * The address of a bridge in a /24 that nothing on this host reaches otherwise: out of 10/8, and
 * if a route covers all of that (a VPN's may), out of the other private ranges.
 *
 * @param {string[]} taken networks and addresses in use
 * @param {string} seed the same seed tries the same subnets in the same order
 * @returns {string | undefined} such as `10.83.17.1/24`
 */
export function freeSubnet(taken, seed) {
  const used = taken.map(parseNetwork).filter((network) => network !== undefined);
  const start = createHash("sha256").update(seed).digest().readUInt32BE(0);
  const pools = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((text) => {
    const { first, bits } = /** @type {Network} */ (parseNetwork(text));
    return { first, count: 2 ** (24 - bits) };
  });
  for (const { first, count } of pools) {
    for (let step = 0; step < count; step++) {
      const candidate = { first: first + ((start + step) % count) * 256, bits: 24 };
      if (used.some((network) => overlap(network, candidate))) continue;
      const bytes = [24, 16, 8].map((shift) => Math.floor(candidate.first / 2 ** shift) % 256);
      return `${bytes.join(".")}.1/24`;
    }
  }
  return undefined;
}

/**
 * What this host's links and routes look like, as far as a new bridge must know.
 *
 * @typedef {object} HostNetwork
 * @property {string[]} links names of all network interfaces
 * @property {string[]} taken IPv4 networks and addresses in use
 * @property {boolean} ipv6 whether it reaches the internet by IPv6
 */

/**
 * @returns {Promise<HostNetwork>}
 * @throws {Fault} (exit 3)
 */
export async function hostNetwork() {
  const [addresses, routes, routes6] = await Promise.all([
    ip("-4", "address", "show"),
    ip("-4", "route", "show", "table", "all"),
    ip("-6", "route", "show", "default").catch(() => []),
  ]);
  const links = await ip("link", "show");
  const addresses6 = await ip("-6", "address", "show", "scope", "global").catch(() => []);
  const taken = [
    ...addresses.flatMap((link) =>
      (link.addr_info ?? []).map((/** @type {any} */ info) => `${info.local}/${info.prefixlen}`),
    ),
    // The broadcast and local tables repeat these addresses one by one.
    ...routes.map(({ dst }) => dst).filter((dst) => dst !== "default" && dst !== "0.0.0.0/0"),
  ];
  const global6 = addresses6.some((link) =>
    // 2000::/3, which unlike the private fd00::/8 is routed to the world.
    (link.addr_info ?? []).some((/** @type {any} */ info) => /^[23]/.test(info.local ?? "")),
  );
  return {
    links: links.map(({ ifname }) => ifname),
    taken,
    ipv6: global6 && routes6.length > 0,
  };
}

/** @param {string[]} args @returns {Promise<any[]>} */
async function ip(...args) {
  const { code, stdout, stderr } = await run(["ip", "-json", ...args]);
  if (code !== 0) {
    throw new Fault(
      `This host's network could not be read (ip ${args.join(" ")}): ${stderr.trim()}`,
      {
        remedy: "install iproute2, then start again",
        exitCode: EXIT.environment,
      },
    );
  }
  // Links without an address of the family appear as empty objects.
  return JSON.parse(stdout || "[]").filter(
    (/** @type {any} */ entry) => Object.keys(entry).length > 0,
  );
}
