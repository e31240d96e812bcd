import { existsSync } from "node:fs";
import { EXIT, Fault } from "../../host/fault.js";
import { paths as hostPaths } from "../../host/paths.js";
import { Api, waitUntilReady } from "./api.js";
import { install } from "./apt.js";
import { remember, start } from "./daemon.js";
import { locate, probe, refuseIfForbidden } from "./endpoint.js";
import { daemonFolder } from "./folder.js";
import { initialise, survey } from "./initialise.js";
import {
  daemonProgram,
  installIncus,
  installTools,
  missingTools,
  storageTools,
  systemdRuns,
} from "./install.js";
import { asRoot, lastWords } from "./process.js";
import { ownSocket } from "./status.js";
import { ensureSubIds, lentFile, subIdsAreSet } from "./subids.js";

/**
 * @typedef {import("../../host/paths.js").Paths} Paths
 * @typedef {{ step(text: string): void }} Progress
 * @typedef {{ paths: Paths, env: NodeJS.ProcessEnv, progress: Progress }} Context
 */

/** @param {Partial<Context>} [context] @returns {Context} */
function complete({ env = process.env, paths = hostPaths(env), progress = { step() {} } } = {}) {
  return { env, paths, progress };
}

/**
 * An Incus that answers and that containers can be made on.
 *
 * `ready` takes some milliseconds. `run` can be interrupted and repeated.
 */
export const incusStep = {
  name: "Incus",
  needsRoot: true,

  /** @param {Partial<Context>} [context] */
  async ready(context) {
    const { paths, env } = complete(context);
    const { socket } = locate(paths, env);
    const { state } = await probe(socket, 3000);
    if (state !== "answers" || !subIdsAreSet() || (await missingTools()).length > 0) return false;
    return (await survey(new Api(socket))).state === "initialised";
  },

  /**
   * @param {Partial<Context>} [given]
   * @throws {Fault} (exit 3) that says what to do
   */
  async run(given) {
    const context = complete(given);
    const { paths, progress } = context;
    const socket = await answering(context);
    // Most come with the daemon.
    await installTools(progress);
    // Before anything is made: a fresh daemon of ours reads these files when it starts a container.
    await ensureSubIds({ progress, record: lentFile(paths) });
    await provideStorageTools(socket, progress);
    const own = socket === ownSocket(paths);
    await initialise(socket, { progress, ...(own ? { folder: daemonFolder(paths) } : {}) });
    if (own) await remember(paths, { initialised: true });
    await mentionRootDisk(socket, progress);
  },
};

/**
 * @param {Context} context
 * @returns {Promise<string>} the socket of a daemon that answers
 */
async function answering(context) {
  const { paths, env, progress } = context;
  const place = locate(paths, env);
  if (place.kind === "own") return start(context);
  const found = await probe(place.socket);
  if (found.state === "answers") return place.socket;
  refuseIfForbidden(place, found);
  if (place.kind === "named") {
    const why = found.state === "absent" ? "there is no such socket" : found.reason;
    throw new Fault(
      `${place.variable} names an Incus that does not answer (${place.socket}): ${why}`,
      {
        remedy: `start that daemon, or unset ${place.variable} to use this machine's own`,
        exitCode: EXIT.environment,
      },
    );
  }
  if (!daemonProgram()) await installIncus(progress);
  // Installing may have started it.
  const service = systemdRuns() ? systemdService : initScript();
  if (!service) return start(context);
  if ((await probe(place.socket)).state !== "answers") await service(progress);
  const socket = locate(paths, env).socket;
  await waitUntilReady(socket, {
    timeoutMs: 300_000,
    hint: () => "see why: sudo journalctl -u incus, or /var/log/incus/incus.log",
  });
  refuseIfForbidden({ ...place, socket }, await probe(socket));
  return socket;
}

/** @param {Progress} progress */
async function systemdService(progress) {
  const purpose = "Starting the Incus service";
  progress.step(purpose);
  const finished = await asRoot(
    ["systemctl", "enable", "--now", "incus.socket", "incus.service"],
    purpose,
  );
  if (finished.code === 0) return;
  throw new Fault(`${purpose} failed: ${lastWords(finished)}`, {
    remedy: "see why: systemctl status incus.service",
    exitCode: EXIT.environment,
  });
}

/**
 * Without systemd, a system server that has been in use is started by its own script: what lives
 * there would seem lost on a new one.
 */
function initScript() {
  const script = "/etc/init.d/incus";
  if (!existsSync("/var/lib/incus/database") || !existsSync(script)) return undefined;
  return async (/** @type {Progress} */ progress) => {
    const purpose = "Starting the system's Incus";
    progress.step(purpose);
    for (const one of ["/etc/init.d/lxcfs", script]) {
      if (existsSync(one)) await asRoot([one, "start"], purpose);
    }
  };
}

/**
 * A fresh server deserves a copy-on-write pool, but works without one.
 * @param {string} socket
 * @param {Progress} progress
 */
async function provideStorageTools(socket, progress) {
  const packages = storageTools();
  if (packages.length === 0 || (await survey(new Api(socket))).state === "initialised") return;
  try {
    await install(packages, "Installing a storage driver's tools", progress);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    progress.step(`Going on without btrfs: ${error.what}`);
  }
}

/**
 * An initialised server is not touched, but where its default profile has no root disk, one of the
 * registry's own profiles must: better said now than by the first container that fails.
 *
 * @param {string} socket
 * @param {Progress} progress
 */
async function mentionRootDisk(socket, progress) {
  const api = new Api(socket);
  const { devices } = await api.get("/1.0/profiles/default");
  if (Object.values(devices).some(({ type, path }) => type === "disk" && path === "/")) return;
  const pools = await api.list("/1.0/storage-pools?recursion=1");
  progress.step(
    "This Incus was initialised without a root disk in its profile default; containers that use " +
      "no other profile need one: incus profile device add default root disk path=/ " +
      `pool=${pools[0]?.name ?? "POOL"}`,
  );
}
