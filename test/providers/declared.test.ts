import { expect, test } from "vitest";
import { configOf, devicesOf } from "../../providers/container/declared.ts";
import { DEV, project } from "../components/fixtures.ts";

const ROOT = { uid: 0, gid: 0 };

test("the owner's ids are mapped, and no mount is shifted", () => {
  expect(configOf(project("a"), DEV)["raw.idmap"]).toBe("uid 1000 1000\ngid 1000 1000");
  expect(devicesOf(project("a"), DEV)).toEqual({
    repo: { type: "disk", source: "/home/dev/repos/a", path: "/home/dev/repos/a" },
  });
});

test("root's ids are never mapped: a repository of root's is shifted", () => {
  expect(configOf(project("a"), ROOT)).toEqual({});
  expect(devicesOf(project("a"), ROOT).repo).toMatchObject({ shift: "true" });
});

test("a map that the registry spells out, or none, is left as it is", () => {
  const map = "both 1000 1000";
  expect(configOf(project("a", { idmap: map }), DEV)).toEqual({ "raw.idmap": map });
  expect(configOf(project("a", { idmap: "none" }), DEV)).toEqual({});
  expect(configOf(project("a", { idmap: "none" }), ROOT)).toEqual({});
});

test("a device that brings the repository takes the place of repoman's own", () => {
  const work = { type: "disk", source: "/home/dev/repos/a/", path: "/work", shift: "true" };
  const moved = project("a", { path: "/work", devices: { work } });
  expect(devicesOf(moved, DEV)).toEqual({ work });
  expect(Object.keys(devicesOf(project("a", { devices: { work } }), DEV))).toEqual([
    "repo",
    "work",
  ]);
});

test("the environment becomes config keys", () => {
  const config = configOf(project("a", { env: { NODE_ENV: "development" } }), ROOT);
  expect(config).toEqual({ "environment.NODE_ENV": "development" });
});

test("an optional mount does not keep the container from starting", () => {
  const mount = { device: "m", source: "/s", path: "/p", readonly: true, optional: true };
  expect(devicesOf(project("a", { mounts: [mount] }), DEV).m).toEqual({
    type: "disk",
    source: "/s",
    path: "/p",
    readonly: "true",
    required: "false",
  });
});

test("a port is a proxy, with brackets around an IPv6 address", () => {
  const port = { device: "p", listen: 8080, connect: 80, protocol: "tcp", address: "::1" } as const;
  expect(devicesOf(project("a", { ports: [port] }), DEV).p).toEqual({
    type: "proxy",
    listen: "tcp:[::1]:8080",
    connect: "tcp:127.0.0.1:80",
  });
});

test("what the registry adds comes last, and may replace what repoman would make", () => {
  const devices = { gpu0: { type: "gpu" } };
  expect(devicesOf(project("a", { devices }), DEV).gpu0).toEqual({ type: "gpu" });
});
