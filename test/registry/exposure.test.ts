import { describe, expect, it, test } from "vitest";
import { withTilde } from "../../host/paths.js";
import { holdsCredentials, lendsCredentials } from "../../registry/credentials.ts";
import { exposuresOf } from "../../registry/exposure.ts";
import { loadLibrary, VENDOR_PROFILES } from "../../registry/profiles.ts";

const HOME = "/home/dev";

describe("a path holds credentials", () => {
  it.each([
    "/home/dev/.ssh",
    "/home/dev/.ssh/id_ed25519",
    "/home/dev",
    "/",
    "/home/dev/.config/gh",
    "/home/dev/.config",
    "/home/other/.aws",
    "/root/.docker/config.json",
    "/etc/shadow",
    "/srv/app/.env",
    "/srv/app/.env.local",
    "/var/run/docker.sock",
  ])("%s", (path) => {
    expect(holdsCredentials(path, HOME)).toBe(true);
  });

  it.each([
    "/home/dev/repos/alpha",
    "/home/dev/.gitconfig",
    "/home/dev/.sshd",
    "/usr/local/bin/claude",
    "/etc/ssl/certs",
    "/srv/environment",
  ])("not: %s", (path) => {
    expect(holdsCredentials(path, HOME)).toBe(false);
  });
});

test("sockets of agents lend credentials, those of services do not", () => {
  for (const socket of ["/run/user/1000/gcr/ssh", "/tmp/ssh-XX/agent.1", "/run/docker.sock"]) {
    expect(lendsCredentials(socket, HOME)).toBe(true);
  }
  expect(lendsCredentials("/run/postgresql/.s.PGSQL.5432", HOME)).toBe(false);
});

describe("devices expose", () => {
  it("paths of the host, and not the volumes of a pool", () => {
    const devices = {
      a: { type: "disk", source: "/data/", path: "/d", readonly: "1", required: "false" },
      b: { type: "disk", pool: "default", source: "volume", path: "/v" },
      root: { type: "disk", pool: "default", path: "/" },
    };
    expect(exposuresOf(devices, HOME)).toEqual([
      {
        device: "a",
        kind: "path",
        host: "/data",
        inside: "/d",
        writable: false,
        credentials: false,
        optional: true,
      },
    ]);
  });

  it("sockets, addresses and hardware", () => {
    const devices = {
      agent: { type: "proxy", bind: "instance", listen: "unix:/a", connect: "unix:/tmp/agent.1" },
      db: { type: "proxy", bind: "instance", listen: "tcp:[::]:1", connect: "tcp:127.0.0.1:5432" },
      web: { type: "proxy", listen: "tcp:0.0.0.0:80", connect: "tcp:127.0.0.1:8080" },
      kvm: { type: "unix-char", source: "/dev/kvm" },
      eth0: { type: "nic", network: "x" },
    };
    expect(
      exposuresOf(devices, HOME).map(({ kind, host, credentials }) => [kind, host, credentials]),
    ).toEqual([
      ["socket", "/tmp/agent.1", true],
      ["address", "tcp:127.0.0.1:5432", false],
      ["listener", "tcp:0.0.0.0:80", false],
      ["device", "/dev/kvm", false],
    ]);
  });

  it("what the profiles that come with repoman say they share", async () => {
    const facts = { lanIp: "192.0.2.7", user: "dev", home: HOME };
    const library = await loadLibrary({
      vendorDir: VENDOR_PROFILES,
      userDir: "/nowhere",
      facts,
    });
    const of = (name: string) =>
      exposuresOf(library.get(name)?.devices ?? {}, HOME).map(
        ({ host, writable, credentials }) =>
          `${withTilde(host, HOME)}${writable ? " rw" : ""}${credentials ? " !" : ""}`,
      );
    expect(of("claude-share")).toEqual([
      "~/.local/bin/claude",
      "~/.claude.json rw !",
      "~/.claude rw !",
    ]);
    expect(of("codex-share")).toEqual(["~/.codex rw !"]);
    expect(of("gh-share")).toEqual(["~/.config/gh !"]);
    expect(of("ssh-agent")).toEqual(["~/.ssh/agent.sock rw !"]);
    expect(of("host-ca")).toEqual(["/etc/ssl/certs"]);
    expect(of("dotfiles")).toEqual(["~/.gitconfig", "~/.hgrc"]);
    expect(of("llm-share")).toEqual(["/usr/local/bin/ollama", "~/.ollama rw !"]);
  });
});
