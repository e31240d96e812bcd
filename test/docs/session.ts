// A shell session of a reader: what `cd`, `export` and `eval` do holds for the next command.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../rig/host.ts";

export interface Ran {
  exitCode: number;
  /** Both streams, as a terminal shows them, with the reader's names in place of the test's. */
  output: string;
}

export class Session {
  readonly #host: Host;
  readonly #memory: string;
  readonly #env: NodeJS.ProcessEnv;
  /** What stands in the documents for what is so here. */
  readonly #names: readonly [string, string][];

  constructor(host: Host, env: NodeJS.ProcessEnv, names: readonly [string, string][]) {
    this.#host = host;
    this.#env = env;
    this.#names = names;
    this.#memory = join(host.home, ".session");
    mkdirSync(this.#memory, { recursive: true });
    host.write(join(this.#memory, "env"), "");
    host.write(join(this.#memory, "folder"), `${host.project}\n`);
  }

  async run(command: string): Promise<Ran> {
    // By arguments: a variable of ours would become one of the reader's.
    const script = `
      . "$1/env"; cd -- "$(cat "$1/folder")"; exec 2>&1
      eval "$2"; set -- "$1" $?
      declare -px >"$1/env"; pwd >"$1/folder"; exit "$2"`;
    const { exitCode, stdout } = await this.#host.run(
      ["bash", "-c", script, "bash", this.#memory, command],
      { env: this.#env },
    );
    return { exitCode, output: this.shown(stdout) };
  }

  /** The folder that the reader stands in. */
  get folder(): string {
    return readFileSync(join(this.#memory, "folder"), "utf8").trim();
  }

  /** A text as the documents would have it. */
  shown(text: string): string {
    return this.#names.reduce((now, [here, there]) => now.replaceAll(here, there), text);
  }
}
