import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest";
import type { Finished } from "../../rig/command.ts";
import { type Daemon, startDaemon } from "../../rig/daemon.ts";
import { type Host, makeHost } from "../../rig/host.ts";

/** What the tiny estate makes of the registry that a tiny host starts with. */
export const ALL = [
  "IncusProfile-other",
  "IncusProfile-shared",
  "IncusProject-repoman",
  "RepoContainer-alpha",
  "RepoContainer-beta",
  "RsyncBackup-alpha",
  "RsyncBackup-beta",
];

export interface TinyHost extends Host {
  /** Runs repoman, and shows what it said where it does not end with this exit code. */
  expectExit(code: number, ...args: string[]): Promise<Finished>;
  /** Names of what the tiny estate has made. */
  things(): string[];
  /** The file of a thing. */
  thing(name: string): string;
  /** What the provider does when it makes a thing: `hold`, `fail <exit code>`; "" for nothing. */
  order(name: string, what: string): void;
  /** A file of the stack's in repoman's state directory. */
  stackFile(name: string, stack?: string): string;
  /** The files of Pulumi's locks. */
  locks(stack?: string): string[];
  /** Writes the registry that it starts with. */
  begin(): void;
  /** As it was made: no stack, nothing up, no orders, the registry that it starts with. */
  reset(): void;
  /** Operations in Pulumi's state whose end nobody has recorded. */
  pending(stack?: string): string[];
}

/** A machine on which the project's program is the tiny one. */
export async function makeTinyHost(
  daemon?: Daemon,
  env: NodeJS.ProcessEnv = {},
): Promise<TinyHost> {
  const host = await makeHost({ user: "root", ...(daemon ? { daemon } : {}), env });
  const folder = join(host.home, "things");
  mkdirSync(folder);
  host.env.TINY_DIR = folder;
  // The provider process starts in the folder of the program's entry, which thus has to stay.
  writeFileSync(join(host.project, "index.ts"), 'export * from "./test/cli/tiny/index.ts";\n');
  await Promise.all([host.repo("alpha"), host.repo("beta")]);
  const begin = () =>
    void host.writeRegistry({
      defaults: { profiles: ["shared"] },
      project: [{ name: "alpha" }, { name: "beta" }],
    });
  begin();
  const state = join(host.home, ".local/state/repoman");
  return {
    ...host,
    async expectExit(code, ...args) {
      const finished = await host.repoman(args);
      expect(finished.exitCode, finished.all).toBe(code);
      return finished;
    },
    begin,
    reset() {
      const made = readdirSync(host.project).filter((name) => /^Pulumi\..+\.yaml$/.test(name));
      for (const path of [state, ...made.map((name) => join(host.project, name))]) {
        rmSync(path, { recursive: true, force: true });
      }
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      begin();
    },
    things: () =>
      readdirSync(folder)
        .filter((name) => !name.endsWith(".order"))
        .sort(),
    thing: (name) => join(folder, name),
    order: (name, what) => writeFileSync(join(folder, `${name}.order`), what),
    stackFile: (name, stack = "rig") => join(state, "stacks", stack, name),
    locks(stack = "rig") {
      const locks = join(state, "pulumi/.pulumi/locks/organization/repoman", stack);
      return existsSync(locks) ? readdirSync(locks).filter((name) => name.endsWith(".json")) : [];
    },
    pending(stack = "rig") {
      const file = join(state, "pulumi/.pulumi/stacks/repoman", `${stack}.json`);
      const { checkpoint } = JSON.parse(readFileSync(file, "utf8"));
      return (checkpoint.latest.pending_operations ?? []).map(
        ({ type, resource }: { type: string; resource: { urn: string } }) =>
          `${type} ${resource.urn.split("::").slice(-2).join("::").replace(/^.*\$/, "")}`,
      );
    },
  };
}

/**
 * A daemon and a tiny host for all tests of a file. Each begins with the host as it was made, but
 * the later ones of a `scenario`.
 */
export class SharedTiny {
  daemon!: Daemon;
  host!: TinyHost;

  constructor() {
    beforeAll(async () => {
      this.daemon = await startDaemon({ bare: true });
      this.host = await makeTinyHost(this.daemon);
    });
    beforeEach(({ task }) => {
      const { suite } = task;
      const first = suite?.tasks[0] === task;
      if (first || !suite?.name.endsWith(SCENARIO)) this.host.reset();
    });
    afterAll(async () => {
      await this.host?.dispose();
      await this.daemon?.dispose();
    });
  }

  /** Tests of which each begins where the one before it has ended. */
  scenario(name: string, tests: () => void): void {
    describe.sequential(`${name}${SCENARIO}`, tests);
  }
}

const SCENARIO = ", in order";
