import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type IncusClient } from "../../incus/client.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { importImages } from "../rig/images.ts";

let daemon: Daemon;
let incus: IncusClient;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  incus = await connect({ env: daemon.env });
  for (const name of ["box", "off"]) {
    await incus.createInstance("default", { name, source: { type: "image", alias: "busybox" } });
  }
  await incus.setInstanceState("default", "box", { action: "start" });
}, 60_000);
afterAll(async () => {
  incus?.close();
  await daemon?.dispose();
}, 60_000);

const sh = (script: string, more = {}) =>
  incus.exec("default", "box", { command: ["sh", "-c", script], ...more });

const running = async (what: string) =>
  (await sh("ps -o args")).stdout.split("\n").some((line) => line.trim() === what);

describe("a command", () => {
  test("gives both streams and its exit code", async () => {
    const result = await sh("echo out; echo err >&2; exit 3");
    expect(result).toMatchObject({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
      truncated: false,
    });
  });

  test("gets its arguments as they are", async () => {
    const hostile = ["; rm -rf /", "$(id)", "a b", "'", '"', "\n", ""];
    const { stdout } = await incus.exec("default", "box", {
      command: ["printf", "[%s]", ...hostile],
    });
    expect(stdout).toBe(hostile.map((argument) => `[${argument}]`).join(""));
  });

  test("runs as whom, where and with what it is told", async () => {
    const { stdout } = await sh('id -u; id -g; pwd; echo "$WORD"', {
      user: 1000,
      group: 1001,
      cwd: "/etc",
      environment: { WORD: "a b" },
    });
    expect(stdout).toBe("1000\n1001\n/etc\na b\n");
  });

  test("that is not there is 127, as is one that says so itself", async () => {
    expect(await incus.exec("default", "box", { command: ["nosuch"] })).toMatchObject({
      exitCode: 127,
    });
    expect(await sh("echo before; nosuch")).toMatchObject({
      exitCode: 127,
      stdout: "before\n",
      stderr: expect.stringContaining("not found"),
    });
    expect(await incus.exec("default", "box", { command: ["/etc/passwd"] })).toMatchObject({
      exitCode: 126,
    });
  });

  test("that a signal ends says which", async () => {
    expect((await sh("kill -9 $$")).exitCode).toBe(137);
  });

  test("reads nothing, or what it is given, byte for byte", async () => {
    expect((await sh("cat | wc -c")).stdout.trim()).toBe("0");
    const input = Buffer.alloc(2_000_000, "\u0000\u00ff\n");
    const { stdoutBytes } = await sh("cat", { input });
    expect(createHash("sha256").update(stdoutBytes).digest("hex")).toBe(
      createHash("sha256").update(input).digest("hex"),
    );
  });

  test("that says too much is heard to the end, and cut", async () => {
    const result = await sh("head -c 5000000 /dev/zero; echo end >&2", { maxBytes: 1000 });
    expect(result).toMatchObject({ exitCode: 0, truncated: true, stderr: "end\n" });
    expect(result.stdoutBytes).toHaveLength(1000);
  });

  test("leaves nothing in the instance's logs", async () => {
    await sh("echo secret");
    const { metadata } = await daemon.api("GET", "/1.0/instances/box/logs");
    expect(metadata.filter((path: string) => path.includes("exec"))).toEqual([]);
  });

  test("may leave something running behind", async () => {
    expect(await sh("sleep 21 & echo done")).toMatchObject({ exitCode: 0, stdout: "done\n" });
  });

  test("runs beside many others", async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const results = await Promise.all(
      numbers.map((number) => sh(`echo ${number}; exit ${number}`)),
    );
    expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(
      numbers.map((number) => [number, `${number}\n`]),
    );
  });
});

describe("a command that does not end", () => {
  test("is killed after its time", async () => {
    const exec = incus.exec("default", "box", { command: ["sleep", "1111"], timeoutMs: 500 });
    await expect(exec).rejects.toMatchObject({
      name: "TimedOut",
      message: expect.stringContaining('cannot run "sleep" in instance "box"'),
    });
    expect(await running("sleep 1111")).toBe(false);
  });

  test("is killed when the caller gives up", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const exec = incus.exec("default", "box", {
      command: ["sleep", "2222"],
      signal: controller.signal,
    });
    const rejected = expect(exec).rejects.toBe(reason);
    await sleep(300);
    controller.abort(reason);
    await rejected;
    expect(await running("sleep 2222")).toBe(false);
  });
});

describe("an instance", () => {
  test("that does not run cannot run a command", async () => {
    await expect(incus.exec("default", "off", { command: ["true"] })).rejects.toMatchObject({
      name: "BadRequest",
      message: expect.stringContaining("Instance is not running"),
    });
  });

  test("that is not there is NotFound", async () => {
    await expect(incus.exec("default", "nope", { command: ["true"] })).rejects.toMatchObject({
      name: "NotFound",
    });
  });
});
