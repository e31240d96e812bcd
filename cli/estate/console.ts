// What a container wrote to its console. Some servers (Incus 6.0) hand out each part only once, to
// whoever asks first, so what was read is kept beside the stack until the container starts anew.

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../host/files.js";
import { paths } from "../../host/paths.js";
import type { IncusClient } from "../../incus/client.ts";
import type { Instance } from "../../incus/types.ts";
import { uuidOf } from "../../providers/container/live.ts";

/** So much of it is kept, in letters: what an honest boot prints many times over. */
const MOST = 1024 * 1024;

export class Console {
  readonly #read: () => Promise<string>;
  readonly #file: string | undefined;
  #known = "";
  #handsOutOnce: boolean | undefined;

  private constructor(read: () => Promise<string>, file: string | undefined) {
    this.#read = read;
    this.#file = file;
  }

  static async of(
    client: IncusClient,
    instance: Instance,
    env: NodeJS.ProcessEnv,
  ): Promise<Console> {
    const { project, name, status } = instance;
    const read = () => client.getConsoleLog(project, name);
    // Of one that does not run the server has all.
    if (status !== "Running") return new Console(read, undefined);
    const folder = join(paths(env).stateDir, "console");
    const own = `${uuidOf(instance).replace(/[^\w-]/g, "") || "unknown"}-`;
    const file = `${own}${Date.parse(instance.last_used_at) || 0}.log`;
    const old = (await readdir(folder).catch(() => [])).filter(
      (each) => each.startsWith(own) && each !== file,
    );
    await Promise.all(old.map((each) => rm(join(folder, each), { force: true })));
    const console = new Console(read, join(folder, file));
    console.#known = await readFile(join(folder, file), "utf8").catch(() => "");
    return console;
  }

  /** All that is known of it since the container started. */
  async all(): Promise<string> {
    await this.next();
    return this.#known;
  }

  /** What has come since it was read last, by this or an earlier command. */
  async next(): Promise<string> {
    let now = await this.#read();
    if (this.#file === undefined) {
      const more = added(this.#known, now);
      this.#known = now;
      return more;
    }
    if (now !== "" && this.#handsOutOnce === undefined) {
      const again = await this.#read();
      this.#handsOutOnce = !again.startsWith(now);
      now = this.#handsOutOnce ? now + again : again;
    }
    const more = this.#handsOutOnce === false ? added(this.#known, now) : now;
    if (more === "") return "";
    this.#known = (this.#known + more).slice(-MOST);
    await writeFileAtomic(this.#file, this.#known, { mode: 0o600 });
    return more;
  }
}

/** By so many letters at its end a text is found again in another. */
const TAIL = 200;

/** What `now` has beyond `known`; the beginning of either may have made way for more. */
export function added(known: string, now: string): string {
  if (now.startsWith(known)) return now.slice(known.length);
  const tail = known.slice(-TAIL);
  const at = tail.length < TAIL ? -1 : now.lastIndexOf(tail);
  return at < 0 ? now : now.slice(at + tail.length);
}
