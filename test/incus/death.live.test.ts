import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, type IncusClient } from "../../incus/client.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { importImages } from "../rig/images.ts";
import { until } from "../rig/place.ts";

let daemon: Daemon;
let incus: IncusClient;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  incus = await connect({ env: daemon.env });
  await incus.createInstance("default", {
    name: "box",
    source: { type: "image", alias: "busybox" },
    // Its init never hears the signal, so a clean stop goes on for as long as it may.
    config: { "raw.lxc": "lxc.signal.halt = SIGWINCH" },
  });
});
afterAll(async () => {
  incus?.close();
  await daemon?.dispose();
});
beforeEach(async () => {
  if (daemon.pid === undefined) await daemon.restart();
  await incus.setInstanceState("default", "box", { action: "start" });
});

/** What a call comes to whose daemon is killed under it. */
const GONE = { name: "Unreachable", exitCode: 3 };

/** Kills the daemon while it is at work on what takes minutes. @returns what becomes of that */
async function killDuring<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  await until("the operation", async () =>
    (await incus.getOperations("default")).some(({ status_code: code }) => code < 200),
  );
  // Whoever waits for it has begun to.
  await sleep(200);
  await daemon.kill();
  return work;
}

describe("a daemon that is killed", () => {
  test("during an operation leaves nobody waiting", async () => {
    const stop = incus.setInstanceState("default", "box", { action: "stop", timeout: 600 });
    await expect(killDuring(stop)).rejects.toMatchObject(GONE);
  });

  test("during a command leaves nobody waiting", async () => {
    const exec = incus.exec("default", "box", { command: ["sleep", "1000"] });
    await expect(killDuring(exec)).rejects.toMatchObject(GONE);
  });

  test("while an instance is waited for leaves nobody waiting", async () => {
    const stop = incus.setInstanceState("default", "box", { action: "stop", timeout: 600 });
    const update = incus.updateInstance("default", "box", (now) => ({ ...now, description: "x" }));
    const [stopped, updated] = await Promise.allSettled([killDuring(stop), update]);
    expect(stopped).toMatchObject({ status: "rejected", reason: GONE });
    expect(updated).toMatchObject({ status: "rejected", reason: GONE });
  });

  test("is said to have stopped, and is used again when it is back", async () => {
    await daemon.kill();
    await expect(incus.getProjects()).rejects.toMatchObject({
      name: "Unreachable",
      message: expect.stringContaining("nothing listens on the Incus socket"),
    });
    await expect(connect({ env: daemon.env })).rejects.toMatchObject({ name: "Unreachable" });
    await daemon.restart();
    expect((await incus.getProjects()).length).toBe(1);
    expect(await incus.exec("default", "box", { command: ["echo", "back"] })).toMatchObject({
      stdout: "back\n",
    });
  });

  test("does not know its operations any more when it is back", async () => {
    const stop = incus.setInstanceState("default", "box", { action: "stop", timeout: 600 });
    const failed = expect(stop).rejects.toMatchObject({ name: "Unreachable" });
    await sleep(300);
    const [operation] = (await incus.getOperations("default")).filter(
      ({ status_code: code }) => code < 200,
    );
    await daemon.kill();
    await failed;
    await daemon.restart();
    await expect(incus.waitOperation(operation?.id ?? "")).rejects.toMatchObject({
      name: "OperationFailed",
      message: expect.stringContaining("whether it worked is unknown"),
    });
  });
});

describe("a daemon that hangs", () => {
  test("is given up in time, and works on when it wakes", async () => {
    daemon.freeze();
    // Its threads do not all stop at once.
    await sleep(100);
    try {
      await expect(incus.getServer(500)).rejects.toMatchObject({
        name: "Unreachable",
        message: expect.stringContaining("did not answer within 0.5 s"),
      });
    } finally {
      daemon.thaw();
    }
    expect((await incus.getServer()).auth).toBe("trusted");
  });
});
