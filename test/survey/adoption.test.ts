// What the registry says of a container that somebody else made.

import { describe, expect, test } from "vitest";
import type { Config, Devices, Instance } from "../../incus/types.ts";
import { mountDevice } from "../../registry/mounts.ts";
import { repositoryCandidates, translate } from "../../survey/adoption.ts";
import { registry } from "../components/fixtures.ts";

const { defaults } = registry([]);
const ROOT = "/home/dev/repos";
const repo = { type: "disk", source: `${ROOT}/web`, path: `${ROOT}/web` };

function made(config: Config, devices: Devices, more: Partial<Instance> = {}): Instance {
  return {
    name: "web",
    type: "container",
    status: "Running",
    status_code: 103,
    project: "repoman",
    location: "none",
    architecture: "x86_64",
    ephemeral: false,
    stateful: false,
    created_at: "",
    last_used_at: "",
    description: "",
    profiles: ["default"],
    config,
    devices,
    ...more,
  };
}

function told(instance: Instance, { recognise = true, uid = 1000 } = {}) {
  const [repository] = repositoryCandidates(instance, ROOT);
  if (!repository) throw new Error("no repository");
  const owner = { uid, gid: uid };
  return translate(instance, { repository, image: "img", defaults, owner, recognise }).entry;
}

describe("which device is the repository", () => {
  test("a directory below the root, whatever the device is called", () => {
    const devices = {
      a: { type: "disk", source: `${ROOT}/web/`, path: "work" },
      b: { type: "disk", source: "/srv", path: "/srv" },
      root: { type: "disk", pool: "default", path: "/" },
      c: { type: "disk", source: ROOT, path: "/all" },
      d: { type: "disk", source: `${ROOT}-other/x`, path: "/x" },
    };
    expect(repositoryCandidates(made({}, devices), ROOT)).toEqual([
      { device: "a", repo: `${ROOT}/web`, path: "/work" },
    ]);
  });
});

describe("the entry", () => {
  test("of what repoman would have made says little", () => {
    const map = "uid 1000 1000\ngid 1000 1000";
    expect(told(made({ "raw.idmap": map }, { repo }))).toEqual({
      name: "web",
      description: "",
      image: "img",
    });
  });

  test("keeps a map of its own, and the lack of one", () => {
    expect(told(made({ "raw.idmap": "both 1000 0" }, { repo })).idmap).toBe("both 1000 0");
    expect(told(made({}, { repo })).idmap).toBe("none");
    expect(told(made({}, { repo: { ...repo, shift: "true" } }), { uid: 0 })).not.toHaveProperty(
      "idmap",
    );
  });

  test("leaves out what is the server's and repoman's own, and tells the environment apart", () => {
    const config = {
      "volatile.uuid": "x",
      "image.os": "debian",
      "user.repoman.adopting": "running",
      "environment.A": "1",
      "limits.cpu": "2",
    };
    expect(told(made(config, { repo }))).toMatchObject({
      env: { A: "1" },
      config: { "limits.cpu": "2" },
    });
    expect(Object.keys(told(made(config, { repo })).config ?? {})).toEqual(["limits.cpu"]);
  });

  test("tells as ports and mounts only what repoman would make exactly so", () => {
    const cache = mountDevice("/cache");
    const devices = {
      repo,
      "port-3000": { type: "proxy", listen: "tcp:127.0.0.1:3000", connect: "tcp:127.0.0.1:80" },
      "port-::1-53-udp": { type: "proxy", listen: "udp:[::1]:53", connect: "udp:127.0.0.1:53" },
      web: { type: "proxy", listen: "tcp:127.0.0.1:81", connect: "tcp:127.0.0.1:81" },
      "port-82": { type: "proxy", listen: "tcp:127.0.0.1:82", connect: "tcp:10.0.0.1:82" },
      "port-83": {
        type: "proxy",
        listen: "tcp:127.0.0.1:83",
        connect: "tcp:127.0.0.1:83",
        bind: "host",
      },
      [cache]: { type: "disk", source: "/srv/cache", path: "/cache", required: "false" },
      gpu: { type: "unix-char", source: "/dev/null" },
    };
    const entry = told(made({}, devices));
    expect(entry.ports).toEqual(["3000:80", "[::1]:53:53/udp"]);
    expect(entry.mount).toEqual([{ source: "/srv/cache", path: "/cache", optional: true }]);
    expect(Object.keys(entry.device ?? {})).toEqual(["gpu", "port-82", "port-83", "web"]);
    const plain = told(made({}, devices), { recognise: false });
    expect(plain).not.toHaveProperty("ports");
    expect(Object.keys(plain.device ?? {})).toHaveLength(7);
  });

  test("spells the repository's device out where it is not repoman's", () => {
    const work = { type: "disk", source: `${ROOT}/other/`, path: "/work", shift: "true" };
    expect(told(made({}, { work }))).toMatchObject({
      repo: "other",
      path: "/work",
      device: { work },
    });
  });
});
