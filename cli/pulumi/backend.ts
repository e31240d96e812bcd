// What is known about a stack without asking Pulumi, which takes a third of a second to answer:
// where its state is a folder on this machine, the files say whether the stack exists, who has it
// locked and whether an operation was cut off. Pulumi alone writes them. For any other backend
// (a bucket, Pulumi Cloud) everything here answers "unknown".

import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { expandHome } from "../../host/paths.js";

/** The part of a deployment, as in a checkpoint or a `pulumi stack export`, that is read here. */
export interface Deployment {
  resources?: {
    urn: string;
    type: string;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
  }[];
  pending_operations?: { type: string; resource: { urn: string } }[];
}

/** The type of what a project is in Pulumi's state. */
export const WORKSPACE = "repoman:index:Workspace";

/** The names of the projects that a deployment knows. */
export function workspacesIn(deployment: Deployment | undefined): string[] {
  return (deployment?.resources ?? [])
    .filter(({ type }) => type === WORKSPACE)
    .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
}

export class FileBackend {
  readonly #folder: string;

  /** @param folder what holds `.pulumi` */
  constructor(folder: string) {
    this.#folder = join(folder, ".pulumi");
  }

  /** The folder of the lock files of a stack; absent while there is none. */
  locks(project: string, stack: string): string {
    return join(this.#folder, "locks", "organization", project, stack);
  }

  /** Names of the stacks of a project, sorted. */
  async stacks(project: string): Promise<string[]> {
    const names = (await list(join(this.#folder, "stacks", project))).flatMap(
      // Beside the state lie backups (`.json.bak`) and attributes (`.json.attrs`).
      (file) => /^(.+)\.json(?:\.gz|\.zst)?$/.exec(file)?.[1] ?? [],
    );
    return [...new Set(names)].sort();
  }

  /**
   * The stack's state, or undefined where it has none or Pulumi was told to compress it
   * (`PULUMI_SELF_MANAGED_STATE_GZIP`).
   */
  async deployment(project: string, stack: string): Promise<Deployment | undefined> {
    const file = join(this.#folder, "stacks", project, `${stack}.json`);
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    const state = JSON.parse(text) as { checkpoint?: { latest?: Deployment | null } };
    return state.checkpoint?.latest ?? {};
  }
}

/**
 * @param url `PULUMI_BACKEND_URL`
 * @param root what a relative path is relative to: the folder that Pulumi runs in
 * @returns undefined where the state is not in a folder of this machine
 */
export function fileBackend(url: string | undefined, root: string): FileBackend | undefined {
  const path = /^file:\/\/([^?]*)/.exec(url ?? "")?.[1];
  return path === undefined
    ? undefined
    : new FileBackend(resolve(root, expandHome(path, homedir())));
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}
