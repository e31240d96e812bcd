import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { incusConfigDir as configDir } from "../../host/paths.js";
import { endpoints, ignoredVariables, localSocket } from "../../incus/endpoint.ts";
import { findRemote, remotes } from "../../incus/remotes.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "incus-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function configure(folder: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.yml"), text);
}

/** An environment with no configuration but what the test makes. */
const env = (more: NodeJS.ProcessEnv = {}) => ({
  HOME: home,
  INCUS_GLOBAL_CONF: join(home, "none"),
  ...more,
});

describe("the local socket", () => {
  test("is INCUS_SOCKET before INCUS_DIR", () => {
    const both = env({ INCUS_SOCKET: "/x/y.sock", INCUS_DIR: "/z" });
    expect(localSocket(both).path).toBe("/x/y.sock");
    expect(localSocket(env({ INCUS_DIR: "/z" })).path).toBe("/z/unix.socket");
  });

  test("is a path of the system when nothing is said", () => {
    expect(localSocket(env()).path).toMatch(/^\/(run|var\/lib)\/incus\/unix\.socket$/);
  });

  test("is the one of group incus when only that one is open to the user", async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) =>
      server.listen(join(home, "unix.socket.user"), () => resolve()),
    );
    expect(localSocket(env({ INCUS_DIR: home }))).toEqual({
      kind: "unix",
      path: join(home, "unix.socket.user"),
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("the incus client's configuration", () => {
  test("is in INCUS_CONF, an existing XDG folder, or ~/.config/incus", () => {
    expect(configDir(env({ INCUS_CONF: "/c" }))).toBe("/c");
    const xdg = join(home, "xdg");
    expect(configDir(env({ XDG_CONFIG_HOME: xdg }))).toBe(join(home, ".config/incus"));
    mkdirSync(join(xdg, "incus"), { recursive: true });
    expect(configDir(env({ XDG_CONFIG_HOME: xdg }))).toBe(join(xdg, "incus"));
  });

  test("has the built-in remotes when there is no file", () => {
    expect([...remotes(env()).keys()].sort()).toEqual(["images", "local"]);
    expect(findRemote("images", env()).protocol).toBe("simplestreams");
  });

  test("has what the file lists, and always local", () => {
    configure(join(home, ".config/incus"), "remotes:\n  big:\n    addr: https://big:8443\n");
    expect([...remotes(env()).keys()].sort()).toEqual(["big", "local"]);
    expect(findRemote("big", env())).toMatchObject({
      protocol: "incus",
      authType: "tls",
      public: false,
      serverCert: join(home, ".config/incus/servercerts/big.crt"),
    });
  });

  test("adds the machine's remotes, the user's first", () => {
    configure(join(home, ".config/incus"), "remotes:\n  big:\n    addr: https://own:8443\n");
    configure(
      join(home, "etc"),
      "remotes:\n  big:\n    addr: https://other:8443\n  shared:\n    addr: https://shared:8443\n",
    );
    const machine = env({ INCUS_GLOBAL_CONF: join(home, "etc") });
    expect(findRemote("big", machine).addresses).toEqual(["https://own:8443"]);
    expect(findRemote("shared", machine).serverCert).toBe(join(home, "etc/servercerts/shared.crt"));
  });

  test("may give several addresses, of which the last that worked comes first", () => {
    configure(
      join(home, ".config/incus"),
      "remotes:\n  big:\n    addr: https://a:1, https://b:2\n    last_working_address: https://b:2\n",
    );
    expect(findRemote("big", env()).addresses).toEqual(["https://b:2", "https://a:1"]);
  });

  test.each([
    ["broken YAML", "remotes: [unclosed"],
    ["a remote without an address", "remotes:\n  big:\n    protocol: incus\n"],
  ])("that cannot be read is named: %s", (_what, text) => {
    configure(join(home, ".config/incus"), text);
    expect(() => remotes(env())).toThrow(join(home, ".config/incus/config.yml"));
  });
});

describe("a remote", () => {
  test("that is not there is told with those that are", () => {
    expect(() => endpoints("nowhere", env())).toThrow(/no remote "nowhere"[\s\S]*images, local/);
  });

  test("that only serves images is refused", () => {
    expect(() => endpoints("images", env())).toThrow("only serves images");
  });

  test("that signs in by OIDC is refused", () => {
    configure(
      join(home, ".config/incus"),
      "remotes:\n  sso:\n    addr: https://sso:8443\n    auth_type: oidc\n",
    );
    expect(() => endpoints("sso", env())).toThrow("signs in by oidc");
  });

  test("needs a client certificate", () => {
    configure(join(home, ".config/incus"), "remotes:\n  big:\n    addr: https://big:8443\n");
    expect(() => endpoints("big", env())).toThrow("needs a client certificate");
  });

  test("may be a socket", () => {
    configure(
      join(home, ".config/incus"),
      "remotes:\n  side:\n    addr: unix:///side/unix.socket\n",
    );
    expect(endpoints("side", env())).toEqual([{ kind: "unix", path: "/side/unix.socket" }]);
  });

  test("with an address that is none is refused", () => {
    configure(join(home, ".config/incus"), "remotes:\n  big:\n    addr: big:8443\n");
    expect(() => endpoints("big", env())).toThrow("no usable address: big:8443");
  });
});

test("INCUS_REMOTE and INCUS_PROJECT are ignored, and the caller can say so", () => {
  expect(ignoredVariables({})).toEqual([]);
  expect(ignoredVariables({ INCUS_REMOTE: "big", INCUS_PROJECT: "p" })).toEqual([
    "INCUS_REMOTE",
    "INCUS_PROJECT",
  ]);
  expect(localSocket(env({ INCUS_DIR: "/z", INCUS_REMOTE: "big" })).path).toBe("/z/unix.socket");
});
