import { execFileSync } from "node:child_process";
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
}, 60_000);
afterAll(async () => {
  incus?.close();
  await daemon?.dispose();
}, 60_000);

const missing = { x: { type: "disk", path: "/x", source: "/nope" } };

describe("a project", () => {
  test("is made, changed and deleted", async () => {
    await incus.createProject({ name: "p", description: "one" });
    await expect(incus.createProject({ name: "p" })).rejects.toMatchObject({
      name: "AlreadyExists",
    });
    await incus.updateProject("p", (now) => ({ ...now, description: "two" }));
    expect((await incus.getProject("p")).value.description).toBe("two");
    await incus.deleteProject("p");
    await expect(incus.deleteProject("p")).rejects.toMatchObject({ name: "NotFound" });
  });

  test("with something inside cannot be deleted, and says how to see what", async () => {
    await incus.createProject({
      name: "full",
      config: { "features.profiles": "false", "features.images": "false" },
    });
    await incus.createInstance("full", { name: "a", source: { type: "image", alias: "busybox" } });
    await expect(incus.deleteProject("full")).rejects.toMatchObject({
      name: "InUse",
      remedy: expect.stringContaining("incus project show"),
    });
    const features = incus.updateProject("full", (now) => ({
      ...now,
      config: { ...now.config, "features.profiles": "true" },
    }));
    await expect(features).rejects.toMatchObject({ name: "BadRequest" });
  });
});

describe("a profile", () => {
  test("is made, changed and deleted", async () => {
    await incus.createProfile({ name: "one", config: { "limits.cpu": "1" } });
    await expect(incus.createProfile({ name: "one" })).rejects.toMatchObject({
      name: "AlreadyExists",
    });
    expect(await incus.updateProfile("one", (now) => ({ ...now, description: "d" }))).toBe(true);
    expect(await incus.updateProfile("one", (now) => ({ ...now, description: "d" }))).toBe(false);
    expect((await incus.getProfile("one")).value).toMatchObject({
      description: "d",
      config: { "limits.cpu": "1" },
    });
    await incus.deleteProfile("one");
    await expect(incus.getProfile("one")).rejects.toMatchObject({ name: "NotFound" });
  });

  test("that somebody else changes meanwhile loses neither change", async () => {
    await incus.createProfile({ name: "raced" });
    let turns = 0;
    await incus.updateProfile("raced", (now) => {
      // Between our read and our write, since nothing else can run meanwhile.
      if (turns++ === 0) {
        execFileSync("incus", ["profile", "set", "raced", "user.theirs=1"], {
          env: { ...process.env, ...daemon.env, INCUS_CONF: daemon.dir },
          stdio: "pipe",
        });
      }
      return { ...now, config: { ...now.config, "user.ours": "1" } };
    });
    expect(turns).toBe(2);
    expect((await incus.getProfile("raced")).value.config).toEqual({
      "user.ours": "1",
      "user.theirs": "1",
    });
  });

  test("in use cannot be deleted", async () => {
    await incus.createProfile({ name: "used" });
    await incus.createInstance("default", {
      name: "user",
      source: { type: "image", alias: "busybox" },
      profiles: ["default", "used"],
    });
    await expect(incus.deleteProfile("used")).rejects.toMatchObject({
      name: "InUse",
      message: expect.stringContaining('cannot delete profile "used"'),
    });
  });

  test("that an instance cannot take is saved all the same, and says so", async () => {
    await incus.createProfile({ name: "saved" });
    await incus.createInstance("default", {
      name: "taker",
      source: { type: "image", alias: "busybox" },
      profiles: ["default", "saved"],
    });
    await expect(
      incus.updateProfile("saved", (now) => ({ ...now, devices: missing })),
    ).rejects.toMatchObject({
      name: "SavedWithFailures",
      message: expect.stringContaining("Instance: taker"),
    });
    expect((await incus.getProfile("saved")).value.devices).toEqual(missing);
  });

  test("with a key that does not exist is refused", async () => {
    const update = incus.updateProfile("raced", (now) => ({ ...now, config: { "no.such": "1" } }));
    await expect(update).rejects.toMatchObject({ name: "BadRequest" });
  });

  test("that names a network that is not there is not taken for gone", async () => {
    const devices = { eth9: { type: "nic", network: "nope", name: "eth9" } };
    const update = incus.updateProfile("raced", (now) => ({ ...now, devices }));
    await expect(update).rejects.toMatchObject({ name: "BadRequest" });
  });
});
