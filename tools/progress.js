/** What takes longer than this says so. */
const PATIENCE_MS = 2000;

/** How often a log is told that the same thing is still being done. */
const STILL_MS = 60_000;

/**
 * Tells a person what is going on, on stderr. On a terminal one line that is written over, with
 * the time that has passed; elsewhere (a log) a line when something turns out to take long and
 * one at its end. What is quick says nothing.
 */
export class Progress {
  #terminal;
  #write;
  #env;
  #columns;
  /** @type {{ name: string, detail: string, began: number, changed: number, said: string, saidAt: number } | undefined} */
  #task;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #drawn = false;

  /**
   * @param {object} [options]
   * @param {NodeJS.ProcessEnv} [options.env]
   * @param {{ isTTY?: boolean, columns?: number, write(text: string): unknown }} [options.stream]
   */
  constructor({ env = process.env, stream = process.stderr } = {}) {
    this.#env = env;
    this.#terminal = Boolean(stream.isTTY) && env.TERM !== "dumb";
    this.#columns = () => stream.columns || 80;
    this.#write = (/** @type {string} */ text) => void stream.write(text);
  }

  /**
   * Runs `work` under a name.
   *
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async during(name, work) {
    const now = Date.now();
    const task = { name, detail: "", began: now, changed: now, said: "", saidAt: 0 };
    this.#task = task;
    this.#timer = setInterval(() => this.#tick(), this.#terminal ? 200 : 500);
    try {
      const result = await work();
      if (Date.now() - task.began >= PATIENCE_MS) {
        this.line(`${this.#paint(32, "✓")} ${name} (${elapsed(task.began)})`);
      }
      return result;
    } catch (error) {
      this.line(`${this.#paint(31, "✗")} ${name} (${elapsed(task.began)})`);
      throw error;
    } finally {
      clearInterval(this.#timer);
      this.#erase();
      this.#task = undefined;
    }
  }

  /**
   * Says what the task at work is doing now.
   *
   * @param {string} detail
   */
  step(detail) {
    if (!this.#task) return;
    if (kindOf(this.#task.detail) !== kindOf(detail)) this.#task.changed = Date.now();
    this.#task.detail = detail;
  }

  /**
   * A line that stays.
   *
   * @param {string} text
   */
  line(text) {
    this.#erase();
    this.#write(`${text}\n`);
  }

  #tick() {
    const task = this.#task;
    const now = Date.now();
    if (!task || now - task.began < PATIENCE_MS) return;
    const text = task.detail ? `${task.name}: ${task.detail}` : task.name;
    if (this.#terminal) {
      const time = ` … ${elapsed(task.began)}`;
      // Sign and blank before it, and no character in the last column, where some terminals wrap.
      const room = Math.max(this.#columns() - 3 - time.length, 0);
      this.#write(`\r\u001b[K${this.#paint(36, "›")} ${text.slice(0, room)}${time}`);
      this.#drawn = true;
      return;
    }
    const kind = kindOf(text);
    if (kind === task.said ? now - task.saidAt >= STILL_MS : now - task.changed >= PATIENCE_MS) {
      this.#write(`› ${text} …\n`);
      task.said = kind;
      task.saidAt = now;
    }
  }

  #erase() {
    if (this.#drawn) this.#write("\r\u001b[K");
    this.#drawn = false;
  }

  /** @param {number} code @param {string} text */
  #paint(code, text) {
    return this.#terminal && !this.#env.NO_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

/**
 * A count that goes up is the same thing being done.
 *
 * @param {string} text
 */
const kindOf = (text) => text.replace(/\d+(\.\d+)?/g, "");

/** @param {number} began */
function elapsed(began) {
  const seconds = Math.round((Date.now() - began) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
