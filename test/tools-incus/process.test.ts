import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { identify, isAlive, lastWords, run, which } from "../../tools/incus/process.js";
import { put, script, tempFolder } from "../tools/temp.ts";

const until = async (what: () => boolean) => {
  for (let tries = 0; tries < 200 && !what(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(what()).toBe(true);
};

describe("running a program", () => {
  test("passes arguments as they are, and its input", async () => {
    const arguments_ = ["a b", "; rm -rf ~", "$HOME", "'\"", "-n"];
    const { stdout } = await run(["printf", "%s\\n", ...arguments_]);
    expect(stdout).toBe(arguments_.map((one) => `${one}\n`).join(""));
    expect(await run(["cat"], { input: "hello" })).toMatchObject({ code: 0, stdout: "hello" });
  });

  test("makes a result of every way to fail", async () => {
    expect((await run(["sh", "-c", "exit 3"])).code).toBe(3);
    expect((await run(["/nowhere/program"])).code).toBe(127);
    expect((await run(["sleep", "60"], { timeoutMs: 100 })).code).toBe(124);
    expect((await run(["sh", "-c", "kill $$"])).code).toBe(128);
  });

  test("ends all that a program has started, when told to", async () => {
    const pidFile = join(tempFolder(), "pid");
    const stop = new AbortController();
    const running = run(["sh", "-c", 'sleep 60 & echo $! >"$1"; wait', "sh", pidFile], {
      signal: stop.signal,
    });
    await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "");
    const grandchild = identify(Number(readFileSync(pidFile, "utf8")));
    stop.abort();
    await running;
    await until(() => !isAlive(grandchild));
  });

  test("keeps the last lines for the message", () => {
    expect(lastWords({ code: 1, stdout: "", stderr: "one\ntwo\nthree\nfour\n" })).toBe(
      "two\nthree\nfour",
    );
    expect(lastWords({ code: 7, stdout: "", stderr: "" })).toBe("exit code 7");
  });
});

describe("finding a program", () => {
  test("looks where only administrators' PATH does, and takes no folder or plain file", () => {
    const folder = tempFolder();
    script(join(folder, "one"), "exit 0");
    put(join(folder, "two"), "");
    expect(which("one", { PATH: folder })).toBe(join(folder, "one"));
    expect(which("two", { PATH: folder })).toBeUndefined();
    expect(which("usermod", { PATH: "/nowhere" })).toMatch(/sbin\/usermod$/);
  });
});

describe("work that is cut off by a signal", () => {
  test("cleans up, says nothing of its own failure and ends as it was told to", async () => {
    const file = join(tempFolder(), "half");
    const url = new URL("../../tools/incus/interrupt.js", import.meta.url);
    const program = `
      import { writeFileSync, rmSync } from "node:fs";
      import { withCleanUp } from ${JSON.stringify(fileURLToPath(url))};
      let fail;
      await withCleanUp(
        () => { writeFileSync(process.argv[1], ""); setInterval(() => {}, 1000); return new Promise((_, reject) => { fail = reject; }); },
        async () => { fail(new Error("cut off")); await new Promise((r) => setTimeout(r, 100)); rmSync(process.argv[1]); },
      );`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program, file], {
      stdio: ["ignore", "inherit", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (text) => {
      errors += text;
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    await until(() => existsSync(file));
    child.kill("SIGTERM");
    expect(await ended).toBe(143);
    expect(existsSync(file)).toBe(false);
    expect(errors).toBe("");
  });
});
