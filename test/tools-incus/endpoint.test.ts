import { mkdirSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { paths as hostPaths } from "../../host/paths.js";
import { incusEnv, locate, probe, refuseIfForbidden } from "../../tools/incus/endpoint.js";
import { incusStep } from "../../tools/incus/setup.js";
import { put, tempFolder, userOf } from "../tools/temp.ts";

/** A user whose own daemon has been in use, or has not. */
function user({ own = false } = {}) {
  const home = tempFolder();
  const env = userOf(home);
  const paths = hostPaths(env);
  if (own) {
    put(join(paths.stateDir, "incus.json"), JSON.stringify({ initialised: true }));
    mkdirSync(join(paths.stateDir, "incus/database"), { recursive: true });
  }
  return { env, paths, home, folder: join(paths.stateDir, "incus") };
}

function listen(server: Server, socket: string): Promise<void> {
  onTestFinished(() => void server.close());
  return new Promise((resolve) => server.listen(socket, resolve));
}

describe("which daemon repoman talks to", () => {
  test("is the one that INCUS_SOCKET names, before INCUS_DIR", () => {
    const { env, paths } = user({ own: true });
    const both = { ...env, INCUS_SOCKET: "/a/socket", INCUS_DIR: "/b" };
    expect(locate(paths, both)).toMatchObject({ kind: "named", socket: "/a/socket" });
    expect(locate(paths, { ...env, INCUS_DIR: "/b" })).toMatchObject({
      kind: "named",
      socket: "/b/unix.socket",
    });
  });

  test("is the system's where repoman has none of its own", () => {
    const { env, paths } = user();
    expect(locate(paths, env)).toMatchObject({ kind: "system" });
    expect(incusEnv(paths, env)).toEqual({});
  });

  test("is repoman's own once an estate lives there, and everything else is told so", () => {
    const { env, paths, folder } = user({ own: true });
    expect(locate(paths, env)).toEqual({ kind: "own", socket: join(folder, "unix.socket") });
    expect(incusEnv(paths, env)).toEqual({ INCUS_DIR: folder });
    // As after eval "$(repoman env)".
    expect(locate(paths, { ...env, INCUS_DIR: folder })).toMatchObject({ kind: "own" });
  });

  test("is the system's again when the folder of repoman's own was deleted", () => {
    const { env, paths, folder } = user({ own: true });
    rmSync(folder, { recursive: true });
    expect(locate(paths, env)).toMatchObject({ kind: "system" });
  });

  test("is not repoman's own while its set-up has not ended", () => {
    const { env, paths } = user({ own: true });
    put(join(paths.stateDir, "incus.json"), "{ half");
    expect(locate(paths, env)).toMatchObject({ kind: "system" });
  });
});

describe("asking a daemon", () => {
  test("tells absence from silence", async () => {
    const folder = tempFolder();
    expect(await probe(join(folder, "none"))).toEqual({ state: "absent" });
    const stale = join(folder, "stale");
    put(stale, "");
    expect(await probe(stale)).toMatchObject({ state: "silent" });
  });

  test("gives up on one that accepts and never answers", async () => {
    const socket = join(tempFolder(), "s");
    let accepted = 0;
    const held = createServer(() => {
      accepted += 1;
    });
    await listen(held, socket);
    expect(await probe(socket, 200)).toMatchObject({
      state: "silent",
      reason: expect.stringContaining("0.2 s"),
    });
    expect(accepted).toBe(1);
  });

  test("sees that something else listens there", async () => {
    const socket = join(tempFolder(), "s");
    const other = createHttpServer((_, response) => response.end("<html>hello</html>"));
    await listen(other, socket);
    expect(await probe(socket)).toMatchObject({
      state: "silent",
      reason: expect.stringContaining("not an Incus server"),
    });
  });

  test("never asks the restricted socket, and says whose rights are missing", async () => {
    const found = await probe("/run/incus/unix.socket.user");
    expect(found).toEqual({ state: "restricted" });
    const place = { kind: "system" as const, socket: "/run/incus/unix.socket.user" };
    expect(() => refuseIfForbidden(place, found)).toThrow(/group incus.*usermod -aG incus-admin/s);
  });
});

describe("a daemon that was named and does not answer", () => {
  test("is an error that names the variable, and nothing else is installed or started", async () => {
    const { env, paths, home } = user();
    const steps: string[] = [];
    const progress = { step: (text: string) => void steps.push(text) };
    for (const [name, value] of [
      ["INCUS_DIR", home],
      ["INCUS_SOCKET", join(home, "socket")],
    ] as const) {
      const context = { env: { ...env, [name]: value }, paths, progress };
      expect(await incusStep.ready(context)).toBe(false);
      await expect(incusStep.run(context)).rejects.toMatchObject({
        what: expect.stringContaining(name),
        exitCode: 3,
      });
    }
    expect(steps).toEqual([]);
  });
});
