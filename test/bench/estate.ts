import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import type { Finished } from "../rig/command.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";

/** How many requests or programs the raw side has at work at once. */
export const AT_ONCE = 8;
const STACK = { PULUMI_STACK: "bench" };
const PATIENCE_MS = 900_000;

/** What is measured: one host with a daemon, its repositories, and the ways to work on them. */
export interface Bench {
  host: Host;
  /** `bin/repoman`; throws with its output unless it exits 0. */
  repoman(...args: string[]): Promise<Finished>;
  /** Plain `pulumi` in the environment of `repoman env`. */
  pulumi(...args: string[]): Promise<Finished>;
  /** A preview of a program that does nothing, by the same engine and language host. */
  emptyPreview(): Promise<Finished>;
  /** Whether the registry asks for copies of the repositories. */
  declare(copies: boolean): void;
  /** Notes what instances repoman has made, for `rawCreate` to make the same. */
  learn(): Promise<void>;
  /** What repoman's instances are made of, created and started by the raw API. */
  rawCreate(): Promise<void>;
  rawDelete(): Promise<void>;
  /** The requests that answer for all instances at once. */
  rawReads(): Promise<void>;
}

/** @param count of repositories */
export async function makeBench(count: number): Promise<Bench> {
  const daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  const host = await makeHost({ user: "dev", daemon });
  const names = Array.from({ length: count }, (_, index) => `p${index + 1}`);
  await makeRepositories(host, names);
  const empty = await makeEmptyProgram(host);
  await daemon.api("POST", "/1.0/projects", {
    name: "raw",
    config: { "features.images": "false", "features.profiles": "false" },
  });
  let instances: { name: string; [field: string]: unknown }[] = [];

  return {
    host,
    repoman: async (...args) =>
      good(await host.repoman(args, { env: STACK, timeoutMs: PATIENCE_MS })),
    pulumi: async (...args) =>
      good(await host.pulumi(args, { env: STACK, timeoutMs: PATIENCE_MS })),
    emptyPreview: async () =>
      good(await host.pulumi(["preview", "--stack", "empty"], { cwd: empty })),
    declare(copies) {
      host.writeRegistry({ project: names.map((name) => ({ name, backup: copies })) });
    },
    async learn() {
      const { metadata } = await daemon.api("GET", "/1.0/instances?recursion=1&project=repoman");
      instances = metadata.map(asRequest);
    },
    rawCreate: () =>
      inParallel(instances, async (instance) => {
        await daemon.api("POST", "/1.0/instances?project=raw", instance);
        await setState(daemon, instance.name, { action: "start" });
      }),
    rawDelete: () =>
      inParallel(instances, async ({ name }) => {
        await setState(daemon, name, { action: "stop", force: true });
        await daemon.api("DELETE", `/1.0/instances/${name}?project=raw`);
      }),
    async rawReads() {
      await Promise.all(
        [
          "/1.0/projects/repoman",
          "/1.0/profiles?recursion=1",
          "/1.0/instances?recursion=1&project=repoman",
          `/1.0/networks/${daemon.bridge}/leases`,
        ].map((path) => daemon.api("GET", path)),
      );
    },
  };
}

function setState(daemon: Daemon, name: string, body: object) {
  return daemon.api("PUT", `/1.0/instances/${name}/state?project=raw`, body);
}

/** The request that makes an instance like one that is there. */
// biome-ignore lint/suspicious/noExplicitAny: as the server has it
function asRequest({ name, description, profiles, config, devices }: any) {
  const own = Object.entries(config).filter(
    ([key]) => !/^(volatile\.|image\.|user\.repoman\.)/.test(key),
  );
  return {
    name,
    type: "container",
    source: { type: "image", alias: "busybox" },
    description,
    profiles,
    devices,
    config: Object.fromEntries(own),
  };
}

async function makeRepositories(host: Host, names: readonly string[]): Promise<void> {
  const [first = "", ...others] = names;
  const files = Array.from({ length: 20 }, (_, index) => [`src/${index}.txt`, `${index}\n`]);
  const model = await host.repo(first, Object.fromEntries(files));
  for (const name of others) await execa("cp", ["-a", model, join(host.reposRoot, name)]);
}

async function makeEmptyProgram(host: Host): Promise<string> {
  const folder = join(host.home, "empty");
  host.write(
    "empty/Pulumi.yaml",
    "name: empty\nruntime:\n  name: nodejs\n  options: {typescript: false}\n",
  );
  host.write("empty/package.json", '{"type": "module", "main": "index.js"}\n');
  host.write("empty/index.js", "");
  good(await host.run(["ln", "-s", join(host.project, "node_modules"), folder]));
  good(await host.pulumi(["stack", "init", "empty"], { cwd: folder }));
  return folder;
}

/** @throws Error with all that a command printed, unless it went well */
export function good(finished: Finished): Finished {
  if (finished.exitCode === 0) return finished;
  throw new Error(`exit code ${finished.exitCode}:\n${stripVTControlCharacters(finished.all)}`);
}

/** Does the work for each item, `AT_ONCE` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
