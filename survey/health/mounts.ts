// Whether what a container sees at its mounts is what lies on the host now. A mount holds on to what
// was there when it was made: of a file that either side has replaced since (as editors and most
// programs do on saving), or of a folder that was moved away, it shows the old one.

import { ask } from "../../host/child.ts";
import type { IncusClient } from "../../incus/client.ts";
import type { Instance } from "../../incus/types.ts";
import type { ProjectState } from "../reconcile.ts";
import { type Check, type Finding, someAtATime, statesOf } from "./check.ts";
import { some } from "./profiles.ts";

/** What one side sees. */
interface Seen {
  /** Device and inode number, with a colon. */
  id: string;
  uid: number;
  /** Only of the host's side. */
  isFile?: boolean;
}

interface Mounted {
  source: string;
  path: string;
  optional: boolean;
}

const STAT_MS = 4_000;
const EXEC_MS = 10_000;

/** A line for each argument, `-` for what is not there. Any `stat` will do, busybox's too. */
const LOOK =
  'for path; do stat -L -c "%d:%i %u" -- "$path" 2>/dev/null || echo -; done; command -v stat >/dev/null';

export const mounts: Check = {
  group: "containers",
  subject: "mounts",
  limit: 30_000,
  async look(patient, signal) {
    const { client, local } = patient;
    if (!client) return [];
    const running = statesOf(patient).filter(({ instance, drift }) => {
      return instance?.status === "Running" && drift !== "conflict" && drift !== "unreachable";
    });
    if (!local) {
      const what = "mounts are on another machine, and not looked at";
      return running.length === 0
        ? []
        : [{ group: "containers", subject: "mounts", state: "note", what }];
    }
    return (await someAtATime(running, (state) => ofOne(client, state, signal))).flat();
  },
};

async function ofOne(
  client: IncusClient,
  { project, instance }: ProjectState,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (!instance) return [];
  const { name } = project;
  const about = { group: "containers", subject: name } as const;
  const mounted = mountsOf(instance);
  if (mounted.length === 0) return [];
  const [host, inside] = await Promise.all([
    Promise.all(mounted.map(({ source }) => onHost(source))),
    within(client, instance, mounted, signal).catch((error: Error) => error),
  ]);
  if (inside instanceof Error) {
    const [why] = inside.message.split("\n");
    return [{ ...about, state: "unknown", what: `its mounts could not be looked at: ${why}` }];
  }
  const findings = mounted.flatMap((mount, index): Finding[] => {
    const found = judgeMount(mount, host[index], inside[index], mount.source === project.repo);
    if (!found) return [];
    return [{ ...about, state: "bad", what: found.what, remedy: found.remedy(name) }];
  });
  const unseen = mounted.filter((_, index) => host[index] === "unknown");
  if (unseen.length > 0) {
    const sources = some(unseen.map(({ source }) => source));
    const what = `${sources} cannot be looked at on the host, and was not compared`;
    findings.push({ ...about, state: "unknown", what });
  }
  if (findings.length > 0) return findings;
  const count = `${mounted.length} ${mounted.length === 1 ? "mount is" : "mounts are"}`;
  return [{ ...about, state: "good", what: `${count} what lies on the host` }];
}

/** The host's files and folders that an instance has, by its own devices and its profiles'. */
export function mountsOf(instance: Pick<Instance, "expanded_devices">): Mounted[] {
  return Object.values(instance.expanded_devices ?? {}).flatMap((device) => {
    const { type, source, path, pool, required } = device;
    if (type !== "disk" || pool || !source?.startsWith("/") || !path || path === "/") return [];
    return [{ source, path, optional: required === "false" }];
  });
}

/**
 * What is wrong with one mount.
 *
 * @param host undefined where it is not there, `unknown` where it cannot be looked at
 * @param inside undefined where it is not there
 */
export function judgeMount(
  { source, path, optional }: Mounted,
  host: Seen | "unknown" | undefined,
  inside: Seen | undefined,
  isRepository: boolean,
): { what: string; remedy: (name: string) => string } | undefined {
  if (host === "unknown") return undefined;
  const restart = (name: string) => `Mount it anew: repoman restart ${name}`;
  if (!host) {
    if (optional) return undefined;
    const what = `${source}, mounted at ${path}, is gone from the host, and without it the container will not start again`;
    return { what, remedy: () => `Put ${source} back, or take the mount out.` };
  }
  if (host.id !== inside?.id) {
    if (!inside) return { what: `${source} is not mounted at ${path}`, remedy: restart };
    const what = host.isFile
      ? `the file ${source} was replaced since it was mounted; what is seen at ${path} is not it`
      : `${source} is not what is seen at ${path}: it was replaced, or came later`;
    const better = host.isFile ? " (sharing its folder instead would not go stale)" : "";
    return { what, remedy: (name) => restart(name) + better };
  }
  if (isRepository && inside.uid !== host.uid) {
    return {
      what: `the repository belongs to uid ${host.uid} on the host and to ${inside.uid} inside`,
      remedy: (name) => `Bring its id map back (repoman up ${name}), then: repoman restart ${name}`,
    };
  }
  return undefined;
}

/** In a child that can be left behind: a file system may hang. */
async function onHost(source: string): Promise<Seen | "unknown" | undefined> {
  // The first enters a folder, as an automount that is not awake, or deaf, has to be; a file has only
  // an answer to the second.
  const { timedOut, stdout, stderr } = await ask(
    ["stat", "-L", "--printf=%d:%i %u %F\\n", "--", `${source}/.`, source],
    { timeoutMs: STAT_MS },
  );
  const seen = timedOut ? undefined : stdout.toString().trimEnd().split("\n").at(-1);
  if (seen) {
    const [id = "", uid, ...type] = seen.split(" ");
    return { id, uid: Number(uid), isFile: !type.includes("directory") };
  }
  if (timedOut) return "unknown";
  return /No such file|Not a directory/.test(stderr) ? undefined : "unknown";
}

async function within(
  client: IncusClient,
  { project, name }: Instance,
  mounted: readonly Mounted[],
  signal: AbortSignal,
): Promise<(Seen | undefined)[]> {
  const { exitCode, stdout } = await client.exec(project, name, {
    command: ["/bin/sh", "-c", LOOK, "sh", ...mounted.map(({ path }) => path)],
    environment: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    timeoutMs: EXEC_MS,
    maxBytes: 64 * 1024,
    signal,
  });
  const lines = stdout.trimEnd().split("\n");
  if (exitCode !== 0 || lines.length !== mounted.length) {
    throw new Error("there is no stat inside");
  }
  return lines.map((line) => {
    const [, id, uid] = /^(\d+:\d+) (\d+)$/.exec(line) ?? [];
    return id === undefined ? undefined : { id, uid: Number(uid) };
  });
}
