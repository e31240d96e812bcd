import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder for one test, with a blank in its path, removed when the test has ended. */
export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "repoman tools ")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file, with the folders that lead to it. */
export function put(file: string, content: string, mode = 0o644): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

/** An executable shell script. */
export function script(file: string, body: string): string {
  return put(file, `#!/bin/sh\n${body}\n`, 0o755);
}

/** The environment of a user whose files all lie below one folder. */
export function userOf(home: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { HOME: home, PATH: process.env.PATH, ...more };
}

/** What `Progress` writes, as one text. */
export function record(options: { isTTY?: boolean; columns?: number } = {}) {
  let text = "";
  return {
    ...options,
    write(chunk: string) {
      text += chunk;
    },
    get text() {
      return text;
    },
  };
}
