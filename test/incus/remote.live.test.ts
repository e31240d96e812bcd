import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, type IncusClient } from "../../incus/client.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { importImages } from "../rig/images.ts";
import { newFolder, until } from "../rig/place.ts";
import { selfSigned } from "./certificates.ts";

// The remote is added by the incus client itself, so that its own files are what is read.

let daemon: Daemon;
let folder: string;
let env: NodeJS.ProcessEnv;
let fingerprint: string;
const open: IncusClient[] = [];

beforeAll(async () => {
  daemon = await startDaemon({ https: true });
  await importImages(daemon, ["busybox"]);
  ({ folder } = newFolder("cc"));
  env = { HOME: folder, INCUS_CONF: folder, INCUS_GLOBAL_CONF: join(folder, "none") };
  const { stdout } = await daemon.incus("config", "trust", "add", "tester", "--quiet");
  const token = stdout.trim().split("\n").at(-1) ?? "";
  await execa("incus", ["remote", "add", "big", token], { env: { ...env, ...daemon.env } });
  copyFileSync(join(folder, "servercerts/big.crt"), join(folder, "pinned.crt"));
  fingerprint = (await remote()).server.auth_user_name ?? "";
  await daemon.api("POST", "/1.0/projects", { name: "theirs" });
});
afterAll(async () => {
  for (const client of open) client.close();
  await daemon?.dispose();
});
beforeEach(() => copyFileSync(join(folder, "pinned.crt"), join(folder, "servercerts/big.crt")));

async function remote(): Promise<IncusClient> {
  const client = await connect({ remote: "big", env });
  open.push(client);
  return client;
}

/** What the daemon lets the client's certificate do. */
const restrict = (restricted: boolean) =>
  daemon.api("PATCH", `/1.0/certificates/${fingerprint}`, {
    restricted,
    projects: restricted ? ["theirs"] : [],
  });

describe("a remote of the incus client", () => {
  test("does what the local daemon does", async () => {
    const incus = await remote();
    expect(incus.remote).toBe("big");
    expect(incus.place).toBe(`the Incus server ${daemon.url} (remote "big")`);
    await incus.createInstance("default", {
      name: "far",
      source: { type: "image", alias: "busybox" },
    });
    await incus.setInstanceState("default", "far", { action: "start" });
    const { stdout } = await incus.exec("default", "far", { command: ["cat"], input: "over TLS" });
    expect(stdout).toBe("over TLS");
    await incus.updateInstance("default", "far", (now) => ({ ...now, description: "seen" }));
    expect((await incus.getInstance("default", "far")).value.description).toBe("seen");
  });

  test("is the one that is named, whatever INCUS_REMOTE says", async () => {
    env.INCUS_REMOTE = "elsewhere";
    expect((await remote()).place).toContain(daemon.url);
    delete env.INCUS_REMOTE;
  });

  test("with another certificate than the pinned one is refused", async () => {
    writeFileSync(join(folder, "servercerts/big.crt"), (await selfSigned()).cert);
    await expect(remote()).rejects.toMatchObject({
      name: "Unreachable",
      message: expect.stringContaining("is not the one expected"),
      remedy: expect.stringContaining("incus remote remove big"),
    });
  });

  test("that is gone in the middle of an operation leaves nobody waiting", async () => {
    const incus = await remote();
    const exec = incus.exec("default", "far", { command: ["sleep", "1000"] });
    const failed = expect(exec).rejects.toMatchObject({ name: "Unreachable" });
    await sleep(500);
    await daemon.kill();
    await failed;
    await expect(incus.getProjects()).rejects.toThrow("refuses the connection");
    await daemon.restart();
    await until("the remote", () => incus.getProjects().catch(() => undefined));
  });
});

describe("one who lacks rights", () => {
  test("by a restricted certificate is told so", async () => {
    await restrict(true);
    await expect(remote()).rejects.toMatchObject({
      name: "Forbidden",
      exitCode: 3,
      message: expect.stringContaining("restricted to some projects"),
    });
    await restrict(false);
    await remote();
  });

  test("by the socket of group incus is told so", async () => {
    const group = readFileSync("/etc/group", "utf8").split(":")[0] ?? "root";
    const user = execa("/usr/libexec/incus/incus-user", ["--group", group], {
      env: { ...daemon.env },
      reject: false,
    });
    const socket = `${daemon.socket}.user`;
    try {
      const refused = await until("incus-user", () =>
        connect({ env: { INCUS_SOCKET: socket } }).catch((error) =>
          error.name === "Unreachable" ? undefined : error,
        ),
      );
      expect(refused).toMatchObject({
        name: "Forbidden",
        exitCode: 3,
        message: expect.stringContaining("restricted rights of group incus"),
        remedy: expect.stringContaining("incus-admin"),
      });
    } finally {
      user.kill();
      await user;
    }
  });

  test("because the server no longer trusts the certificate is told so", async () => {
    await daemon.api("DELETE", `/1.0/certificates/${fingerprint}`);
    await expect(remote()).rejects.toMatchObject({
      name: "Forbidden",
      message: expect.stringContaining("does not trust this client's certificate"),
    });
  });
});
