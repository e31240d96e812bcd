import { spawn } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Fault } from "../../host/fault.js";
import { HeldLock, tryLock } from "../../host/lock.js";
import { paths } from "../../host/paths.js";
import { Progress } from "../../tools/progress.js";
import { type Context, runSteps, type Step } from "../../tools/step.js";
import { layout } from "../../tools/toolchain.js";
import { record, tempFolder, userOf } from "./temp.ts";

function context(home = tempFolder()) {
  const env = userOf(home);
  const stream = record();
  const progress = new Progress({ env, stream });
  const given: Context = { root: home, env, paths: paths(env), progress };
  return { given, stream, lock: layout(env).lock };
}

/** A step that makes a file, and counts how often it was asked to. */
function maker(file: string, body: () => void = () => {}): Step & { runs: number } {
  return {
    name: "File",
    runs: 0,
    ready: () => existsSync(file),
    async run() {
      this.runs++;
      writeFileSync(`${file}.tmp`, "whole");
      body();
      renameSync(`${file}.tmp`, file);
    },
  };
}

describe("steps", () => {
  test("run once, and not at all when they are ready", async () => {
    const { given, lock } = context();
    const step = maker(join(given.root, "made"));
    expect(await runSteps([step], given)).toBe(true);
    expect(await runSteps([step], given)).toBe(false);
    expect(step.runs).toBe(1);
    expect(tryLock(lock, "somebody")).toBeInstanceOf(HeldLock);
  });

  test("that were interrupted are done again from where the last whole one ended", async () => {
    const { given } = context();
    const first = maker(join(given.root, "first"));
    let broken = true;
    const second = maker(join(given.root, "second"), () => {
      if (broken) throw new Fault("it broke off");
    });
    await expect(runSteps([first, second], given)).rejects.toThrow("it broke off");
    broken = false;
    await runSteps([first, second], given);
    expect([first.runs, second.runs]).toEqual([1, 2]);
    expect(readFileSync(join(given.root, "second"), "utf8")).toBe("whole");
  });

  test("that claim to be done and are not end with a fault instead of a loop", async () => {
    const { given } = context();
    const idle: Step = { name: "Nothing", ready: () => false, run: async () => {} };
    await expect(runSteps([idle], given)).rejects.toThrow(/Nothing was set up and is not ready/);
  });

  test("wait for another set-up and say which, and find the work done", async () => {
    const { given, stream, lock } = context();
    const held = tryLock(lock, "set-up, pid 4711");
    if (!(held instanceof HeldLock)) throw new Error("not held");
    const file = join(given.root, "made");
    const step = maker(file);
    const waiting = runSteps([step], given);
    await expect.poll(() => stream.text).toContain("Another set-up is at work (set-up, pid 4711)");
    writeFileSync(file, "by the other");
    held.release();
    await waiting;
    expect(step.runs).toBe(0);
  });

  test("are not held up by a set-up that was killed", async () => {
    const { given, stream, lock } = context();
    const code = `
      import { tryLock } from ${JSON.stringify(new URL("../../host/lock.js", import.meta.url).href)};
      tryLock(${JSON.stringify(lock)}, "the dead");
      console.log("held");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    await runSteps([maker(join(given.root, "made"))], given);
    expect(stream.text).toBe("");
  });

  test("that may not write say where, and what to do", async () => {
    const { given } = context();
    const error = Object.assign(new Error("EACCES: permission denied"), {
      code: "EACCES",
      path: "/somewhere",
    });
    const step: Step = {
      name: "Writer",
      ready: () => false,
      run: () => Promise.reject(error),
    };
    await expect(runSteps([step], given)).rejects.toMatchObject({
      what: "Set-up could not write: EACCES at /somewhere",
      remedy: expect.stringContaining("XDG_CACHE_HOME"),
      exitCode: 3,
    });
  });
});
