import { expect, test } from "vitest";
import type { IncusClient } from "../../incus/client.ts";
import { NotFound } from "../../incus/errors.ts";
import type { Instance, NetworkLease } from "../../incus/types.ts";
import { addressesOf } from "../../survey/addresses.ts";

const MAC = "00:16:3e:00:00:0";

/** A running instance with a card on each network. */
function on(name: string, id: number, ...networks: string[]): Instance {
  const cards = networks.map((network, at) => [
    `eth${at}`,
    { type: "nic", network, hwaddr: `${MAC}${id}` },
  ]);
  const expanded_devices = Object.fromEntries(cards);
  return { name, status: "Running", config: {}, expanded_devices } as unknown as Instance;
}

/** A server that notes what it is asked. */
function server(instances: Instance[]) {
  const asked: string[] = [];
  const state = (address: string) => ({
    network: { eth0: { addresses: [{ family: "inet", scope: "global", address }] } },
  });
  const client = {
    async getNetworkLeases(network: string) {
      asked.push(`leases of ${network}`);
      if (network === "theirs") {
        throw new NotFound({ verb: "read", subject: network }, "not there");
      }
      return [{ hwaddr: `${MAC}1`, address: "10.0.0.1" }] as NetworkLease[];
    },
    async getInstances() {
      asked.push("all with their state");
      return instances.map((each, at) => ({ ...each, state: state(`10.0.${at}.2`) }));
    },
  };
  return { asked, client: client as unknown as IncusClient };
}

const found = async (...instances: Instance[]) => {
  const { asked, client } = server(instances);
  return { addresses: Object.fromEntries(await addressesOf(client, "repoman", instances)), asked };
};

test("addresses on one network come with its leases", async () => {
  expect(await found(on("a", 1, "br"), on("b", 2, "br"))).toEqual({
    addresses: { a: "10.0.0.1" },
    asked: ["leases of br"],
  });
});

test("with a network for each container, or several in one, it is one request all the same", async () => {
  const many = Array.from({ length: 30 }, (_, at) => on(`c${at}`, at % 10, `br${at}`));
  const { addresses, asked } = await found(...many);
  expect(asked).toEqual(["all with their state"]);
  expect(Object.keys(addresses)).toHaveLength(30);
  expect(await found(on("a", 1, "br", "dmz"))).toEqual({
    addresses: { a: "10.0.0.2" },
    asked: ["all with their state"],
  });
});

test("nothing is asked where nothing runs, and a network that is not Incus's has no leases", async () => {
  expect(await found({ ...on("a", 1, "br"), status: "Stopped" })).toEqual({
    addresses: {},
    asked: [],
  });
  expect((await found(on("a", 1, "theirs"))).addresses).toEqual({});
});
