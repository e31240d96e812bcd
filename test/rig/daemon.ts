import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { type Answer, call, type Method } from "./api.ts";
import { ensureLxcfs } from "./lxcfs.ts";
import { unmountBelow } from "./mounts.ts";
import { exclusively, newFolder, rigFolder, until } from "./place.ts";
import { killAll, processesWith } from "./processes.ts";
import { ensureGroup, ensureSubids } from "./users.ts";

export interface DaemonOptions {
  /** Group of the unix socket, made if absent. Default `incus-admin`. */
  group?: string;
  /** Listen on a free loopback port as well. */
  https?: boolean;
  /** Leave it as a fresh installation: no pool, no bridge, an empty profile default. */
  bare?: boolean;
}

/** A private Incus daemon with a pool and profile `default` and a bridge of its own. */
export interface Daemon {
  /** `INCUS_DIR` */
  readonly dir: string;
  readonly socket: string;
  /** What a client needs to find it. */
  readonly env: { INCUS_DIR: string };
  /** `https://127.0.0.1:<port>`; undefined unless asked for. */
  readonly url: string | undefined;
  /** Group of the socket. */
  readonly group: string;
  readonly bridge: string;
  /** The bridge's address with its prefix length. */
  readonly subnet: string;
  /** Of the running incusd. */
  readonly pid: number | undefined;
  /** One REST call; waits for operations; throws `ApiError` with the server's words. */
  api(method: Method, path: string, body?: object): Promise<Answer>;
  /** The `incus` client binary. Never throws for an exit code. */
  incus(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** Ends incusd in order; containers run on, as with a restart of the service. */
  stop(): Promise<void>;
  /** SIGKILL; containers run on. */
  kill(): Promise<void>;
  /** Starts it again on the same state; stops it first where it still runs. */
  restart(): Promise<void>;
  /** SIGSTOP: connections are accepted by the kernel and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Ends everything and removes the state. */
  dispose(): Promise<void>;
}

const INCUSD = ["/usr/libexec/incus/incusd", "/opt/incus/bin/incusd", "/usr/lib/incus/incusd"];

/** How often a daemon that does not come up is tried, each time with another folder and bridge. */
const ATTEMPTS = 3;

/**
 * One at a time: daemons in one network namespace share its packet filter, and two that set up
 * their bridges at once can get in each other's way. What is under test is never this.
 */
export function startDaemon(options: DaemonOptions = {}): Promise<Daemon> {
  return exclusively("daemon", async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await launch(options);
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        process.stderr.write(`A private daemon did not come up, and is tried again: ${error}\n`);
      }
    }
  });
}

async function launch(options: DaemonOptions): Promise<Daemon> {
  const { group = "incus-admin", https = false, bare = false } = options;
  await Promise.all([ensureLxcfs(), ensureGroup(group), ensureSubids("root", 1_000_000, 1e9)]);
  const { folder: dir, number } = newFolder("d", 0o711);
  if (number > 200) throw new Error("more than 200 daemons in one run");
  const socket = join(dir, "unix.socket");
  const bridge = `rig${number}`;
  const subnet = `10.77.${number}.1/24`;
  const env = { INCUS_DIR: dir };
  const url = https ? `https://127.0.0.1:${await freePort()}` : undefined;
  let incusdProcess: ChildProcess | undefined;

  const api = (method: Method, path: string, body?: object) => call(socket, method, path, body);

  const start = async () => {
    const log = openSync(join(dir, "incusd.log"), "a");
    const child = spawn(incusd(), ["--group", group], {
      // Nothing may be loaded into the machine's own AppArmor.
      env: { ...process.env, ...env, INCUS_SECURITY_APPARMOR: "false" },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    // A daemon that was forgotten is no reason to wait at the end; it goes with the namespace.
    child.unref();
    incusdProcess = child;
    await until(`incusd in ${dir}`, async () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`incusd ended at once:\n${readFileSync(join(dir, "incusd.log"), "utf8")}`);
      }
      if (!existsSync(socket)) return false;
      return api("GET", "/internal/ready").catch(() => false as const);
    });
  };

  const end = async (signal: NodeJS.Signals) => {
    const child = incusdProcess;
    incusdProcess = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const closed = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    if (signal !== "SIGKILL") child.kill("SIGCONT");
    await closed;
  };

  try {
    await start();
    if (!bare) await initialise(api, bridge, subnet);
    if (url) await api("PATCH", "/1.0", { config: { "core.https_address": url.slice(8) } });
  } catch (error) {
    await end("SIGKILL");
    await removeState(dir, bridge);
    throw error;
  }

  return {
    dir,
    socket,
    env,
    url,
    group,
    bridge,
    subnet,
    get pid() {
      return incusdProcess?.pid;
    },
    api,
    async incus(...args) {
      const { exitCode, stdout, stderr } = await execa("incus", args, {
        env: { ...env, INCUS_CONF: clientFolder() },
        reject: false,
        stdin: "ignore",
      });
      return { exitCode: exitCode ?? -1, stdout, stderr };
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    async restart() {
      await end("SIGTERM");
      await exclusively("daemon", start);
    },
    freeze: () => void incusdProcess?.kill("SIGSTOP"),
    thaw: () => void incusdProcess?.kill("SIGCONT"),
    async dispose() {
      await end("SIGKILL");
      await removeState(dir, bridge);
    },
  };
}

/** Configuration of the tests' own `incus` client; where there is none it greets on stderr. */
export function clientFolder(): string {
  const folder = join(rigFolder(), "client");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.yml"), "default-remote: local\n");
  return folder;
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function incusd(): string {
  const found = INCUSD.find((path) => existsSync(path));
  if (!found) throw new Error("incusd is not installed");
  return found;
}

async function initialise(
  api: (method: Method, path: string, body: object) => Promise<Answer>,
  bridge: string,
  subnet: string,
) {
  await Promise.all([
    api("POST", "/1.0/storage-pools", { name: "default", driver: "dir", config: {} }),
    api("POST", "/1.0/networks", {
      name: bridge,
      type: "bridge",
      config: { "ipv4.address": subnet, "ipv4.nat": "true", "ipv6.address": "none" },
    }),
  ]);
  await api("PUT", "/1.0/profiles/default", {
    description: "Default Incus profile",
    config: {},
    devices: {
      eth0: { type: "nic", network: bridge, name: "eth0" },
      root: { type: "disk", path: "/", pool: "default" },
    },
  });
}

/** Ends what outlives incusd (dnsmasq, the monitors of containers) and removes mounts and files. */
async function removeState(dir: string, bridge: string) {
  await killAll(() => processesWith(`INCUS_DIR=${dir}`));
  await execa("ip", ["link", "delete", bridge], { reject: false });
  await unmountBelow(dir);
  rmSync(dir, { recursive: true, force: true });
}
