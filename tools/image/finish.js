import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename } from "node:path";
import { EXIT, Fault } from "../../host/fault.js";
import { Api, ApiError } from "../incus/api.js";
import { withCleanUp } from "../incus/interrupt.js";
import { lastWords, run } from "../incus/process.js";
import { fingerprint, MARK } from "./layout.js";

/** @typedef {{ step(text: string): void }} Progress */

/**
 * The second half of an image: in an unprivileged container of Incus the packages are installed by
 * a root that is none outside, and the result is packed. It needs no network and no root.
 *
 * The caller holds a lock, so what an earlier build left behind can be taken away.
 *
 * @param {string} unfinished the tarball of the first half
 * @param {string} target where the image goes
 * @param {{ socket: string, progress: Progress }} options
 * @throws {Fault} (exit 3)
 */
export async function finish(unfinished, target, { socket, progress }) {
  const api = new Api(socket);
  const mark = basename(target).replace(/\.tar\.gz$/, "");
  const incus = await client(socket, `${target}.client`);
  const work = `${target}.${randomBytes(4).toString("hex")}`;
  await removeLeftovers(api, mark);
  const pool = await poolFor(api);
  const id = await fingerprint(unfinished);
  const name = `repoman-build-${randomBytes(4).toString("hex")}`;
  const build = async () => {
    progress.step("Installing them in a container");
    if (!(await api.find(`/1.0/images/${id}`))) {
      await must(incus("image", "import", unfinished, "local:"));
    }
    await api.post("/1.0/instances", {
      name,
      type: "container",
      profiles: [],
      source: { type: "image", fingerprint: id },
      config: { [MARK]: mark, "raw.lxc": "lxc.init.cmd = /repoman-build/init" },
      devices: { root: { type: "disk", path: "/", pool } },
    });
    await begin(api, incus, name);
    await must(incus("exec", name, "-T", "--", "/repoman-build/install"));
    progress.step("Packing the image");
    const date = (await must(incus("exec", name, "-T", "--", "cat", "/repoman-build/date"))).stdout;
    const file = await open(work, "wx");
    try {
      await must(incus.into(file.fd, "exec", name, "-T", "--", "/repoman-build/pack", date.trim()));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(work, target);
  };
  try {
    await withCleanUp(build, async () => {
      await rm(work, { force: true });
      // A daemon that is gone must not hide why the build failed.
      await removeLeftovers(api, mark).catch(() => {});
      await rm(`${target}.client`, { recursive: true, force: true });
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new Fault(`The image could not be built in a container: ${error.message}`, {
      remedy: "mend that and start again",
      exitCode: EXIT.environment,
      cause: error,
    });
  }
}

/**
 * The incus client on one socket, with none of the user's own settings.
 *
 * @param {string} socket
 * @param {string} folder for what it keeps
 */
export async function client(socket, folder) {
  await mkdir(folder, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: folder, INCUS_CONF: folder, INCUS_SOCKET: socket };
  const start = (/** @type {string[]} */ args, /** @type {{ stdout?: number }} */ options = {}) =>
    run(["incus", "--quiet", ...args], { env, timeoutMs: 30 * 60_000, ...options });
  const incus = (/** @type {string[]} */ ...args) => start(args);
  return Object.assign(incus, {
    into: (/** @type {number} */ fd, /** @type {string[]} */ ...args) =>
      start(args, { stdout: fd }),
  });
}

/**
 * Starts the container; the server's own error says only that it failed, its log says why.
 *
 * @param {Api} api
 * @param {Awaited<ReturnType<typeof client>>} incus
 * @param {string} name
 */
async function begin(api, incus, name) {
  try {
    await api.put(`/1.0/instances/${name}/state`, { action: "start", timeout: 60 });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { stdout } = await incus("info", name, "--show-log");
    const [, why = error.message] = stdout.match(/ ERROR .*?:\d+ - (.+)$/m) ?? [];
    throw new ApiError(`it does not start: ${why}`, error.status);
  }
}

/** @param {Promise<import("../incus/process.js").Finished>} running */
async function must(running) {
  const finished = await running;
  if (finished.code === 0) return finished;
  throw new ApiError(lastWords(finished, 4), 0);
}

/**
 * A pool that containers of this server usually live on.
 * @param {Api} api
 * @returns {Promise<string>}
 */
async function poolFor(api) {
  const { devices } = await api.get("/1.0/profiles/default");
  const root = Object.values(devices).find(({ type, path }) => type === "disk" && path === "/");
  const pools = await api.list("/1.0/storage-pools?recursion=1");
  const pool = root?.pool ?? pools.find(({ status }) => status === "Created")?.name;
  if (pool) return pool;
  throw new Fault(`The Incus at ${api.socket} has no storage pool`, {
    remedy: "initialise it: npm start, or incus admin init",
    exitCode: EXIT.environment,
  });
}

/**
 * @param {Api} api
 * @param {string} mark
 */
async function removeLeftovers(api, mark) {
  for (const { name, config, status } of await api.list("/1.0/instances?recursion=1")) {
    if (config[MARK] !== mark) continue;
    const path = `/1.0/instances/${name}`;
    if (status === "Running") {
      await tolerantly(api.put(`${path}/state`, { action: "stop", force: true, timeout: 30 }));
    }
    await tolerantly(api.delete(path));
  }
  for (const { fingerprint: id, properties } of await api.list("/1.0/images?recursion=1")) {
    if (properties?.[MARK] === mark) await tolerantly(api.delete(`/1.0/images/${id}`));
  }
}

/**
 * What cannot be removed now is by the next build.
 * @param {Promise<unknown>} removal
 */
async function tolerantly(removal) {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
