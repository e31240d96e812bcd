import { spawn } from "node:child_process";

/** What a short-lived child said. */
export interface Answer {
  /** Exit code; null when it was killed or never started. */
  code: number | null;
  stdout: Buffer;
  stderr: string;
  /** It did not end in time. It was sent SIGKILL; in a hung file system it may live on. */
  timedOut: boolean;
  /** It could not be started, such as ENOENT. */
  startError?: NodeJS.ErrnoException;
}

export interface AskOptions {
  timeoutMs: number;
  /** Bytes of stdout to keep; more ends the child. 1 MiB unless set. */
  maxOutput?: number;
  /** A lock that the child keeps as long as it runs. */
  lockFd?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The environment of every child: messages in English and unescaped by any locale, and nothing
 * by which a user's settings change what rsync does (`RSYNC_*`, `CVSIGNORE`, aliases in `~/.popt`).
 */
export function plainEnvironment(): NodeJS.ProcessEnv {
  // Node asks the system for every variable, every time.
  environment ??= plainOf(process.env);
  return environment;
}

let environment: NodeJS.ProcessEnv | undefined;

function plainOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const plain: NodeJS.ProcessEnv = {};
  for (const [key, value] of Object.entries(env)) {
    if (/^(RSYNC_|LC_|LANG)/.test(key) || key === "CVSIGNORE" || key === "POSIXLY_CORRECT")
      continue;
    plain[key] = value;
  }
  return { ...plain, LC_ALL: "C", HOME: "/nonexistent" };
}

/**
 * Runs a small program that may touch the backup disk, and waits for it no longer than told.
 * A file system that hangs holds whoever asks it: here that is a child which is left behind, not
 * a thread of this process. For the same reason no `cwd` is taken: spawn waits for the child's
 * chdir. `pinned` does that after exec.
 *
 * @param argv program and arguments
 */
export function ask(
  argv: readonly [string, ...string[]],
  { timeoutMs, maxOutput = 1 << 20, lockFd, signal }: AskOptions,
): Promise<Answer> {
  return new Promise((resolve) => {
    const [program, ...args] = argv;
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe", lockFd ?? "ignore"],
      cwd: "/",
      env: plainEnvironment(),
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let stderr = "";
    const finish = (rest: Pick<Answer, "code" | "timedOut"> & { startError?: Error }) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      resolve({ stdout: Buffer.concat(chunks), stderr: stderr.trim(), ...rest });
    };
    const leaveBehind = () => {
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    };
    const timer = setTimeout(() => {
      leaveBehind();
      finish({ code: null, timedOut: true });
    }, timeoutMs);
    const onAbort = () => {
      leaveBehind();
      finish({ code: null, timedOut: false });
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    child.stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxOutput) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (stderr.length < 4096) stderr += chunk.toString("latin1");
    });
    child.on("error", (startError) => finish({ code: null, timedOut: false, startError }));
    child.on("close", (code) => finish({ code, timedOut: false }));
  });
}

/** `env`'s exit code when it cannot change into the folder. */
export const CHDIR_FAILED = 125;

/**
 * The argument list that runs `argv` inside `folder`, or exits with `CHDIR_FAILED`. A process
 * that stands in a folder keeps its file system: it can no longer be exchanged underneath it.
 */
export function pinned(folder: string, argv: readonly string[]): [string, ...string[]] {
  return ["env", `--chdir=${folder}`, "--", ...argv] as [string, ...string[]];
}

/** The error text after the last colon of a coreutils message, such as `No such file or directory`. */
export function errorText(stderr: string): string {
  const line = stderr.split("\n")[0] ?? "";
  return line.slice(line.lastIndexOf(": ") + 2) || "it failed without a message";
}
