import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const HOLDER = fileURLToPath(new URL("hold.pl", import.meta.url));

/** A file for which everybody waits who opens it. */
export interface Hold {
  /** Resolves when the first one waits. */
  readonly asked: Promise<void>;
  /** Lets go; again, and at the test's end, it does nothing. */
  release(): Promise<void>;
}

/**
 * Holds a file, so that rsync stops where it opens that one: its list of files is made, what comes
 * before is sent, and nothing goes on however long the test takes (up to 45 s).
 *
 * @throws when somebody has it open
 */
export async function hold(file: string): Promise<Hold> {
  const holder = spawn("perl", [HOLDER, file], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "exit");
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  createInterface(holder.stdout).on("line", (line) => (line === "held" ? held : asked).resolve());
  void ended.then(() => held.reject(new Error(`${file} cannot be held`)));
  holder.stdin.on("error", () => undefined);
  const release = async () => {
    holder.stdin.end();
    await ended;
  };
  onTestFinished(release);
  await held.promise;
  return { asked: asked.promise, release };
}
