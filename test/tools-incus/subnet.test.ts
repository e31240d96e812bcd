import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freeName } from "../../tools/incus/initialise.js";
import { freeSubnet, parseNetwork } from "../../tools/incus/subnet.js";

const number = (address: string) =>
  address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);

/** First and last address. */
function range(network: string): [number, number] {
  const [address = "", bits = "32"] = network.split("/");
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number(address) / size) * size;
  return [first, first + size - 1];
}

const network = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 32 }))
  .map(([a, b, c, d, bits]) => `${a}.${b}.${c}.${d}/${bits}`);
/** Most networks of a host are private ones. */
const nearby = fc
  .tuple(fc.nat(255), fc.nat(255), fc.integer({ min: 9, max: 32 }))
  .map(([b, c, bits]) => `10.${b}.${c}.7/${bits}`);

describe("the bridge's subnet", () => {
  test("overlaps nothing that the host has or routes", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(network, nearby)), fc.string(), (taken, seed) => {
        const found = freeSubnet(taken, seed);
        if (found === undefined) return;
        const [first, last] = range(found);
        for (const other of taken) {
          const [from, to] = range(other);
          expect(to < first || from > last, `${found} and ${other}`).toBe(true);
        }
      }),
    );
  });

  test("is a /24 of the private networks whose first address is the bridge's", () => {
    fc.assert(
      fc.property(fc.array(nearby), fc.string(), (taken, seed) => {
        expect(freeSubnet(taken, seed)).toMatch(
          /^(10\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+|192\.168\.\d+)\.1\/24$/,
        );
      }),
    );
  });

  test("is the same when asked again, and another for another daemon", () => {
    expect(freeSubnet([], "a")).toBe(freeSubnet([], "a"));
    expect(freeSubnet([], "a")).not.toBe(freeSubnet([], "b"));
  });

  test("leaves 10/8 to a VPN that routes all of it", () => {
    expect(freeSubnet(["10.0.0.0/8"], "a")).toMatch(/^172\./);
    expect(freeSubnet(["10.0.0.0/8", "172.16.0.0/12"], "a")).toMatch(/^192\.168\./);
  });

  test("takes the only one that is left", () => {
    const taken = Array.from({ length: 256 }, (_, third) => `192.168.${third}.0/24`);
    taken.splice(77, 1);
    expect(freeSubnet(["10.0.0.0/8", "172.16.0.0/12", ...taken], "a")).toBe("192.168.77.1/24");
  });

  test("is none where every private network is routed", () => {
    expect(freeSubnet(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], "a")).toBeUndefined();
    expect(freeSubnet(["0.0.0.0/1", "128.0.0.0/1"], "a")).toBeUndefined();
  });

  test("passes over what is not an IPv4 network", () => {
    expect(parseNetwork("fd00::/64")).toBeUndefined();
    expect(parseNetwork("10.1.2.300/24")).toBeUndefined();
    expect(freeSubnet(["fd00::/64", "broadcast"], "a")).toBeDefined();
  });
});

describe("the bridge's name", () => {
  test("is the usual one, or the next that no link has", () => {
    expect(freeName("incusbr0", ["lo", "eth0"])).toBe("incusbr0");
    expect(freeName("incusbr0", ["incusbr0", "incusbr1"])).toBe("incusbr2");
    expect(freeName("br", ["br0"])).toBe("br1");
  });
});
