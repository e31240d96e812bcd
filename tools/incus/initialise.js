import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, Fault } from "../../host/fault.js";
import { Api, ApiError } from "./api.js";
import { createPool } from "./storage.js";
import { freeSubnet, hostNetwork } from "./subnet.js";

/** @typedef {{ step(text: string): void }} Progress */

/** Set on the server while it is being initialised, so that only our own half-done work is completed. */
const MARK = "user.repoman.setup";

/**
 * What set-up has to do with a server.
 *
 * @typedef {object} Survey
 * @property {"fresh" | "begun" | "initialised"} state `begun` when an earlier set-up was interrupted
 * @property {any} server
 */

/**
 * @param {Api} api
 * @returns {Promise<Survey>}
 */
export async function survey(api) {
  const [server, pools, profile] = await Promise.all([
    api.get("/1.0"),
    api.list("/1.0/storage-pools"),
    api.get("/1.0/profiles/default"),
  ]);
  if (server.config[MARK]) return { state: "begun", server };
  const { server_clustered: clustered } = server.environment;
  const untouched = pools.length === 0 && Object.keys(profile.devices).length === 0;
  return { state: untouched && !clustered ? "fresh" : "initialised", server };
}

/**
 * Gives a fresh server a storage pool, a bridge and a default profile that uses them. A server
 * that somebody has initialised is left exactly as it is. Can be interrupted anywhere and repeated.
 *
 * @param {string} socket
 * @param {object} options
 * @param {Progress} options.progress
 * @param {string} [options.bridge] the bridge's name if it is free, else the next of its series
 * @param {string} [options.folder] the server's own, where it is not that of the socket
 * @param {string[]} [options.drivers] the storage drivers to consider besides `dir`
 * @throws {Fault} (exit 3)
 */
export async function initialise(socket, { progress, bridge = "incusbr0", drivers, folder }) {
  const api = new Api(socket);
  const { state, server } = await survey(api);
  if (state === "initialised") return;
  try {
    await api.patch("/1.0", { config: { [MARK]: "begun" } });
    const pool = await providePool(api, {
      server,
      folder: folder ?? folderOf(socket),
      progress,
      ...(drivers ? { drivers } : {}),
    });
    const network = await provideBridge(api, { progress, bridge });
    await provideDevices(api, pool, network);
    await api.patch("/1.0", { config: { [MARK]: "" } });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new Fault(`Incus at ${socket} could not be initialised: ${error.message}`, {
      remedy: "mend that and start again, or initialise it yourself: incus admin init",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}

/** Distributions that link /run/incus keep the rest in the usual place. @param {string} socket */
function folderOf(socket) {
  const folder = dirname(socket);
  return folder === "/run/incus" ? "/var/lib/incus" : folder;
}

/**
 * @param {Api} api
 * @param {{ server: any, folder: string, progress: Progress, drivers?: string[] }} options
 * @returns {Promise<string>} the pool's name
 */
async function providePool(api, options) {
  const [pool] = await settled(api, "/1.0/storage-pools");
  if (pool) return pool.name;
  // A daemon that was killed can leave a folder of which it knows nothing.
  for (const name of ["default", "default-1", "default-2"]) {
    try {
      await createPool(api, { ...options, name });
      return name;
    } catch (error) {
      if (!(error instanceof ApiError && /already exists/.test(error.message))) throw error;
      const [made] = await settled(api, "/1.0/storage-pools");
      if (made) return made.name;
    }
  }
  throw new ApiError("the folders of its storage pools are there already", 0);
}

/**
 * What there is of a kind, once it is whole. A request may go on in the server for a moment when
 * the one who made it is gone; what stays half made is taken away.
 *
 * @param {Api} api
 * @param {string} path
 * @param {(object: any) => boolean} [wanted]
 */
async function settled(api, path, wanted = () => true) {
  const look = async () => (await api.list(`${path}?recursion=1`)).filter(wanted);
  const whole = (/** @type {any} */ { status }) => status === "Created";
  let found = await look();
  for (let tries = 0; tries < 30 && !found.every(whole); tries++) {
    await sleep(100);
    found = await look();
  }
  for (const { name } of found.filter((object) => !whole(object))) {
    await api.delete(`${path}/${encodeURIComponent(name)}`);
  }
  return found.filter(whole);
}

/**
 * @param {Api} api
 * @param {{ progress: Progress, bridge: string }} options
 * @returns {Promise<string>} the network's name
 */
async function provideBridge(api, { progress, bridge }) {
  const managed = () =>
    settled(api, "/1.0/networks", (one) => one.managed && one.type === "bridge");
  const [known] = await managed();
  if (known) return known.name;
  const host = await hostNetwork();
  const name = freeName(bridge, host.links);
  const address = freeSubnet(host.taken, `${api.socket} ${name}`);
  if (!address) {
    throw new Fault(
      "Every private IPv4 network is already routed on this host; Incus's bridge needs one",
      {
        remedy:
          "make it yourself with a subnet that you can spare: incus network create incusbr0 ipv4.address=…",
        exitCode: EXIT.environment,
      },
    );
  }
  progress.step(`Making Incus's bridge ${name} (${address})`);
  const config = {
    "ipv4.address": address,
    "ipv4.nat": "true",
    ...(host.ipv6 ? { "ipv6.address": "auto", "ipv6.nat": "true" } : { "ipv6.address": "none" }),
  };
  const description = "Made by repoman set-up";
  try {
    await api.post("/1.0/networks", { name, type: "bridge", description, config });
    return name;
  } catch (error) {
    const [made] = error instanceof ApiError ? await managed() : [];
    if (made) return made.name;
    throw error;
  }
}

/**
 * @param {string} wanted ends in a number
 * @param {string[]} links
 */
export function freeName(wanted, links) {
  const [, stem = wanted, first = "0"] = wanted.match(/^(.*?)(\d+)$/) ?? [];
  for (let number = Number(first); ; number++) {
    if (!links.includes(`${stem}${number}`)) return `${stem}${number}`;
  }
}

/**
 * @param {Api} api
 * @param {string} pool
 * @param {string} network
 */
async function provideDevices(api, pool, network) {
  const { devices, ...profile } = await api.get("/1.0/profiles/default");
  await api.patch("/1.0/profiles/default", {
    ...profile,
    devices: {
      eth0: { type: "nic", name: "eth0", network },
      root: { type: "disk", path: "/", pool },
      ...devices,
    },
  });
}
