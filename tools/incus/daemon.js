import { existsSync, readFileSync, statSync } from "node:fs";
import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine } from "../../host/command-line.js";
import { EXIT, Fault } from "../../host/fault.js";
import { writeFileAtomic } from "../../host/files.js";
import { HeldLock, waitForLock } from "../../host/lock.js";
import { Api, waitUntilReady } from "./api.js";
import { groupEntry, probe, recordFile, refuseIfForbidden } from "./endpoint.js";
import { mountFolder, unmountFolder } from "./folder.js";
import { prepareHost } from "./host.js";
import { daemonProgram } from "./install.js";
import { startLxcfs, stopLxcfs } from "./lxcfs.js";
import { identify, isAlive, lastWords, run, SYSTEM_PATH, startDetached } from "./process.js";
import { logFile, monitors, ownSocket, running } from "./status.js";

export { status } from "./status.js";

/**
 * The daemon that repoman runs itself where no service manager would: in a container, on a machine
 * for CI. It lives in the state folder, apart from any that the system has.
 *
 * @typedef {import("../../host/paths.js").Paths} Paths
 * @typedef {{ step(text: string): void }} Progress
 * @typedef {{ paths: Paths, env: NodeJS.ProcessEnv, progress: Progress }} Context
 *
 * @typedef {object} Record what is remembered of it from one run of repoman to the next
 * @property {boolean} [initialised] an estate may live there
 * @property {import("./process.js").Identity | undefined} [process]
 * @property {import("./process.js").Identity | undefined} [lxcfs] if it was started for this daemon
 */

/** @param {Paths} paths @returns {Record} */
function readRecord(paths) {
  try {
    return JSON.parse(readFileSync(recordFile(paths), "utf8"));
  } catch {
    return {};
  }
}

/** @param {Paths} paths @param {Partial<Record>} change */
export async function remember(paths, change) {
  const record = { ...readRecord(paths), ...change };
  await writeFileAtomic(recordFile(paths), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Starts it, and returns when it answers. Nothing happens when it does already.
 *
 * @param {Context} context
 * @returns {Promise<string>} its socket
 * @throws {Fault} (exit 3)
 */
export async function start({ paths, env, progress }) {
  const socket = ownSocket(paths);
  refuseLongPath(socket);
  const lock = await holdLock(paths, progress);
  try {
    if ((await probe(socket)).state === "answers") return socket;
    const program = daemonProgram();
    if (!program) {
      throw new Fault("Incus is not installed", {
        remedy: "run npm start",
        exitCode: EXIT.environment,
      });
    }
    const group = groupEntry("incus-admin") ? "incus-admin" : "root";
    refuseOutsider(socket, group);
    progress.step("Starting an Incus daemon of repoman's own");
    await prepareHost();
    const folder = await mountFolder(paths);
    const lxcfs = await startLxcfs(join(paths.stateDir, "lxcfs.pid"));
    if (lxcfs) await remember(paths, { lxcfs });
    await shorten(logFile(paths));
    const from = existsSync(logFile(paths)) ? statSync(logFile(paths)).size : 0;
    await startDetached([program, "--group", group], "Starting the Incus daemon", {
      env: daemonEnv(env, folder),
      log: logFile(paths),
    });
    await waitUntilReady(socket, {
      timeoutMs: 120_000,
      failed: () => lastError(paths, from),
      hint: () => `its log is ${logFile(paths)}`,
    });
    const { server } = await probe(socket);
    await remember(paths, { process: identify(server?.environment?.server_pid) });
    return socket;
  } finally {
    lock.release();
  }
}

/**
 * The daemon downloads images itself, so it gets what leads to the network.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder
 */
function daemonEnv(env, folder) {
  const passed = Object.entries(env).filter(
    ([name, value]) => value && /^((https?|no|all)_proxy|SSL_CERT_(FILE|DIR))$/i.test(name),
  );
  return { ...Object.fromEntries(passed), PATH: SYSTEM_PATH, HOME: "/root", INCUS_DIR: folder };
}

/** @typedef {{ timeoutSeconds?: number }} StopOptions */

/**
 * Shuts its instances down, then the daemon.
 *
 * @param {Context} context
 * @param {StopOptions} [options] how long instances may take, 120 s unless given
 * @returns {Promise<{ stopped: boolean, instances: string[] }>} false when none was running;
 *   `<project>/<name>` of each instance that was shut down
 * @throws {Fault} (exit 1) that names what is still running after the time is up
 */
export async function stop({ paths, env, progress }, { timeoutSeconds = 120 } = {}) {
  const socket = ownSocket(paths);
  let state = (await probe(socket)).state;
  if (state !== "answers" && monitors(paths).length > 0) {
    // Containers outlive a daemon that was killed; only a daemon can shut them down.
    await start({ paths, env, progress });
    state = "answers";
  }
  refuseIfForbidden({ kind: "own", socket }, { state });
  const lock = await holdLock(paths, progress);
  try {
    const record = readRecord(paths);
    if (state !== "answers") {
      await tidy(paths, record, progress);
      return { stopped: false, instances: [] };
    }
    const instances = await running(socket);
    const list = instances.length
      ? ` and ${instances.length} instances: ${instances.join(", ")}`
      : "";
    progress.step(`Stopping Incus${list}`);
    const known = identify((await new Api(socket).get("/1.0")).environment.server_pid);
    const argv = ["incus", "admin", "shutdown", "--timeout", String(timeoutSeconds)];
    const finished = await run(argv, {
      env: { ...env, INCUS_SOCKET: socket },
      timeoutMs: (timeoutSeconds + 30) * 1000,
    });
    for (let tries = 0; tries < 100 && isAlive(known); tries++) await sleep(50);
    const left = monitors(paths);
    if (isAlive(known) || left.length > 0) {
      const why = finished.code === 0 ? "" : `: ${lastWords(finished, 1)}`;
      const names = left.length ? left.join(", ") : "only the daemon itself";
      throw new Fault(
        `Incus is not down after ${timeoutSeconds} s${why}; still running: ${names}`,
        {
          remedy: [
            ...left.map((each) => {
              const [project = "default", name = ""] = each.split("/");
              const words = ["incus", "stop", "--force", "--project", project, name];
              return commandLine(["env", `INCUS_SOCKET=${socket}`, ...words]);
            }),
            left.length ? "then try again" : `its log says why: ${logFile(paths)}`,
          ].join("\n"),
        },
      );
    }
    const gone = await tidy(paths, record, progress);
    await remember(paths, { process: undefined, ...(gone ? { lxcfs: undefined } : {}) });
    return { stopped: true, instances };
  } finally {
    lock.release();
  }
}

/**
 * Takes away what only served the daemon. One who may stop it need not be one who may do this.
 *
 * @param {Paths} paths
 * @param {Record} record
 * @param {Progress} progress
 * @returns {Promise<boolean>} whether the file system for containers is gone, or was never ours
 */
async function tidy(paths, { lxcfs }, progress) {
  try {
    await unmountFolder(paths);
    return await stopLxcfs(lxcfs);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    progress.step(`Left as it is: ${error.what}`);
    return false;
  }
}

/** @param {Paths} paths @param {Progress} progress @returns {Promise<HeldLock>} */
async function holdLock(paths, progress) {
  const lock = await waitForLock(
    join(paths.stateDir, "incus.lock"),
    `repoman (pid ${process.pid})`,
    {
      timeoutMs: 180_000,
      onWait: (holder) => progress.step(`Waiting for ${holder}, which starts or stops Incus`),
    },
  );
  if (lock instanceof HeldLock) return lock;
  throw new Fault(`${lock.holder} has been starting or stopping Incus for minutes`, {
    remedy: "wait for it or end it, then try again",
    exitCode: EXIT.conflict,
  });
}

/** @param {string} socket */
function refuseLongPath(socket) {
  // sockaddr_un holds 107 bytes, and the daemon's longest name in its folder has 14.
  const longest = socket.replace(/unix\.socket$/, "seccomp.socket");
  if (Buffer.byteLength(longest) <= 107) return;
  throw new Fault(`The path ${socket} is too long for a socket (the limit is 107 bytes)`, {
    remedy: "set XDG_STATE_HOME to a folder with a shorter path",
    exitCode: EXIT.environment,
  });
}

/** @param {string} socket @param {string} group */
function refuseOutsider(socket, group) {
  const gid = groupEntry(group)?.gid ?? 0;
  if (process.getuid?.() === 0 || process.getgroups?.().includes(gid)) return;
  refuseIfForbidden({ kind: "own", socket }, { state: "denied" });
}

/** @param {string} log */
async function shorten(log) {
  if (existsSync(log) && statSync(log).size > 10_000_000) await truncate(log);
}

/**
 * What ended the daemon, if something did.
 * @param {Paths} paths
 * @param {number} from where in the log this start begins
 */
async function lastError(paths, from) {
  const text = (await readFile(logFile(paths))).subarray(from).toString("utf8");
  return text.match(/^Error: (.+)$/m)?.[1];
}
