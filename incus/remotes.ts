import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { EXIT, Fault } from "../host/fault.js";
import { incusConfigDir as configDir } from "../host/paths.js";

/** A server in the incus client's own configuration. */
export interface Remote {
  name: string;
  /** In the order in which to try them */
  addresses: string[];
  /** `incus`, `simplestreams` or `oci` */
  protocol: string;
  /** Serves images to anybody, and nothing else */
  public: boolean;
  /** `tls` or `oidc` */
  authType: string;
  /** The folder that holds the client's certificate */
  clientDir: string;
  /** The file of the server's pinned certificate; it need not exist */
  serverCert: string;
}

const entry = z.object({
  addr: z.string(),
  protocol: z.string().nullish(),
  public: z.boolean().nullish(),
  auth_type: z.string().nullish(),
  last_working_address: z.string().nullish(),
});
const schema = z.object({ remotes: z.record(z.string(), entry).nullish() });
type Entry = z.infer<typeof entry>;

const LOCAL: Entry = { addr: "unix://", protocol: "incus" };
const IMAGES: Entry = {
  addr: "https://images.linuxcontainers.org",
  protocol: "simplestreams",
  public: true,
};

/**
 * All remotes: the user's, then the machine's (`/etc/incus`, `INCUS_GLOBAL_CONF`), and the client's
 * built-in ones (`local` always, `images` where the user has no configuration yet).
 * @throws Fault (exit 3) for a configuration that cannot be read
 */
export function remotes(env: NodeJS.ProcessEnv): Map<string, Remote> {
  const own = join(configDir(env), "config.yml");
  const machine = join(env.INCUS_GLOBAL_CONF || "/etc/incus", "config.yml");
  const all = new Map<string, Remote>();
  const add = (entries: Record<string, Entry>, folder: string) => {
    for (const [name, value] of Object.entries(entries)) {
      if (!all.has(name)) all.set(name, remote(name, value, folder, dirname(own)));
    }
  };
  add({ local: LOCAL }, dirname(own));
  add(load(own) ?? { images: IMAGES }, dirname(own));
  add(load(machine) ?? {}, dirname(machine));
  return all;
}

/** @throws Fault (exit 3) when there is none of that name, with the names that there are */
export function findRemote(name: string, env: NodeJS.ProcessEnv): Remote {
  const all = remotes(env);
  const found = all.get(name);
  if (found) return found;
  throw new Fault(
    `there is no remote ${JSON.stringify(name)} in the incus client's configuration`,
    {
      remedy:
        `known in ${join(configDir(env), "config.yml")}: ${[...all.keys()].sort().join(", ")}\n` +
        "add it: incus remote add NAME ADDRESS",
      exitCode: EXIT.environment,
    },
  );
}

function remote(name: string, value: Entry, folder: string, clientDir: string): Remote {
  const addresses = value.addr
    .split(",")
    .map((address) => address.trim())
    .filter((address) => address !== "");
  const last = addresses.indexOf(value.last_working_address ?? "");
  return {
    name,
    addresses: last > 0 ? [...addresses.slice(last), ...addresses.slice(0, last)] : addresses,
    protocol: value.protocol || "incus",
    public: value.public ?? false,
    authType: value.auth_type || "tls",
    clientDir,
    serverCert: join(folder, "servercerts", `${name}.crt`),
  };
}

function load(file: string): Record<string, Entry> | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(file, (error as Error).message, error);
  }
  let content: unknown;
  try {
    content = parse(text) ?? {};
  } catch (error) {
    throw unusable(file, (error as Error).message, error);
  }
  const checked = schema.safeParse(content);
  if (!checked.success) throw unusable(file, z.prettifyError(checked.error), checked.error);
  return checked.data.remotes ?? {};
}

function unusable(file: string, why: string, cause: unknown): Fault {
  return new Fault(`the incus client's configuration ${file} cannot be read: ${why}`, {
    remedy: "correct the file, or point INCUS_CONF at another folder",
    exitCode: EXIT.environment,
    cause,
  });
}
