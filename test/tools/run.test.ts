import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { must, run } from "../../tools/run.js";
import { script, tempFolder } from "./temp.ts";

const env = { PATH: process.env.PATH };

describe("a command that set-up runs", () => {
  test("is not read from and its output is kept, by line, as a whole and in a log", async () => {
    const folder = tempFolder();
    const talk = script(join(folder, "talk"), "read line; printf 'one\\ntwo\\r3'; echo err >&2");
    const lines: string[] = [];
    const log = join(folder, "logs/talk.log");
    const onLine = (line: string) => lines.push(line);
    const outcome = await run(talk, [], { env, timeoutMs: 10_000, log, onLine });
    expect(outcome).toMatchObject({ code: 0, stdout: "one\ntwo\r3", timedOut: false });
    expect(lines).toEqual(expect.arrayContaining(["one", "two"]));
    await expect.poll(() => readFileSync(log, "utf8")).toBe(outcome.output);
  });

  test.each([
    ["echo npm ERR! code ENOSPC >&2; exit 1", /exit code 1.*ENOSPC.*The disk is full: make room/s],
    ["echo getaddrinfo EAI_AGAIN >&2; exit 1", /A host name could not be resolved/],
    ["echo x509: certificate signed by unknown authority; exit 2", /NODE_EXTRA_CA_CERTS/],
    ["echo strange; exit 9", /exit code 9.*strange.*do this.*All that it said: .*some\.log/s],
  ])("that fails is told with its last words and a remedy: %s", async (body, message) => {
    const folder = tempFolder();
    const file = script(join(folder, "some"), body);
    const log = join(folder, "some.log");
    const options = { env, timeoutMs: 10_000, log, remedy: "do this" };
    const failure = await must("It failed", file, [], options).catch((error) => error);
    expect(failure).toMatchObject({ name: "Fault", exitCode: 3 });
    expect(failure.message).toMatch(message);
  });

  test("that hangs is ended, and that is said", async () => {
    const file = script(join(tempFolder(), "hang"), "exec sleep 60");
    await expect(must("It hung", file, [], { env, timeoutMs: 300 })).rejects.toThrow(
      /It hung: .*: took longer than/,
    );
  });

  test("that is not there is told", async () => {
    await expect(must("No", "/no/such", [], { env, timeoutMs: 300 })).rejects.toThrow(
      /No: \/no\/such could not be started/,
    );
  });

  test.each(["SIGKILL", "SIGTERM"] as const)("ends when set-up gets %s", async (signal) => {
    const file = script(join(tempFolder(), "long"), "echo $$; exec sleep 60");
    const module = new URL("../../tools/run.js", import.meta.url).href;
    const code = `
      import { run } from ${JSON.stringify(module)};
      const options = { env: process.env, timeoutMs: 60_000, leashed: true, onLine: console.log };
      await run(${JSON.stringify(file)}, [], options);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once("data", (text) => resolve(Number(text)));
    });
    parent.kill(signal);
    const alive = () => {
      try {
        return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
      } catch {
        return false;
      }
    };
    await expect.poll(alive, { timeout: 3000 }).toBe(false);
  });
});
