// What the tests of the whole estate share: a daemon, a machine beside it, and short words.

import { afterAll, beforeAll, expect } from "vitest";
import type { Finished } from "../rig/command.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { type Image, importImages } from "../rig/images.ts";

/** The stack's name in every test: the machine's host name says nothing. */
export const STACK = "rig";

/** Runs repoman and shows all that it said where it does not end as expected. */
export async function repoman(host: Host, code: number, ...args: string[]): Promise<Finished> {
  const finished = await host.repoman(args, { env: { PULUMI_STACK: STACK } });
  expect(finished.exitCode, finished.all).toBe(code);
  return finished;
}

/** Brings the estate up, without the preview that comes before it: that halves the time. */
export function up(host: Host, ...args: string[]): Promise<Finished> {
  return repoman(host, 0, "up", "--yes", "--skip-preview", ...args);
}

/** Holds that a preview finds nothing to do. */
export async function expectNoChanges(host: Host): Promise<void> {
  await repoman(host, 0, "preview", "--expect-no-changes");
}

/** The stack's outputs, as its state has them. */
// biome-ignore lint/suspicious/noExplicitAny: a test names the fields it looks at
export function outputs(host: Host): any {
  const { resources } = host.deployment(STACK);
  return resources.find(({ type }: { type: string }) => type === "pulumi:pulumi:Stack").outputs;
}

/** An instance as the server has it; undefined where it says that there is none. */
// biome-ignore lint/suspicious/noExplicitAny: a test names the fields it looks at
export async function instance(daemon: Daemon, name: string, project = "repoman"): Promise<any> {
  const { metadata } = await daemon.api("GET", `/1.0/instances?recursion=1&project=${project}`);
  return metadata.find((each: { name: string }) => each.name === name);
}

export async function instanceNames(daemon: Daemon, project = "repoman"): Promise<string[]> {
  const { metadata } = await daemon.api("GET", `/1.0/instances?recursion=1&project=${project}`);
  return metadata.map((each: { name: string }) => each.name).sort();
}

/**
 * A daemon, and a user's machine beside it, for all tests of a file. What one test leaves is where
 * the next one begins: an estate of its own for each would take three times as long.
 */
export class Shared {
  daemon!: Daemon;
  host!: Host;

  /**
   * @param options.images all of the tests' own unless said
   * @param options.repos the names of repositories with a README in each
   */
  constructor({
    images,
    repos = [],
  }: { images?: readonly Image[]; repos?: readonly string[] } = {}) {
    beforeAll(async () => {
      this.daemon = await startDaemon();
      await importImages(this.daemon, images);
      this.host = await makeHost({ user: "dev", daemon: this.daemon });
      for (const name of repos) await this.host.repo(name);
    });
    afterAll(async () => {
      await this.host?.dispose();
      await this.daemon?.dispose();
    });
  }

  /** Writes the registry: names, or whole entries. */
  projects(...list: (string | Record<string, unknown>)[]): void {
    this.host.writeRegistry({
      project: list.map((each) => (typeof each === "string" ? { name: each } : each)),
    });
  }

  async uuid(name: string): Promise<string | undefined> {
    return (await instance(this.daemon, name))?.config["volatile.uuid"];
  }
}
