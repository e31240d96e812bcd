import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROJECT } from "./copy.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { type Host, makeHost } from "./host.ts";
import { importImages } from "./images.ts";
import { isAlive } from "./watch.js";

let daemon: Daemon;
let dev: Host;
let root: Host;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  dev = await makeHost({ user: "dev", daemon });
  root = await makeHost({ user: "root", daemon });
});
afterAll(async () => {
  await Promise.all([dev?.dispose(), root?.dispose()]);
  await daemon?.dispose();
});

describe.sequential("a simulated machine", () => {
  test("runs commands as its user, who may use Incus", async () => {
    const { stdout } = await dev.run(["sh", "-c", 'id -un; id -Gn; echo "$HOME $USER"; pwd']);
    const { name, home } = dev.user;
    expect(stdout).toBe(`${name}\n${name} ${daemon.group}\n${home} ${name}\n${dev.project}\n`);
    expect((await dev.run(["incus", "list"])).exitCode).toBe(0);
    expect((await root.run(["id", "-u"])).stdout).toBe("0\n");
    expect(root.home).not.toBe(dev.home);
  });

  test("reaches another daemon over TLS as a remote", async () => {
    const away = await startDaemon({ https: true });
    await dev.addRemote("away", away);
    const { stdout } = await dev.run(["incus", "query", "away:/1.0"]);
    const { auth_user_method: method, environment } = JSON.parse(stdout);
    expect(method).toBe("tls");
    expect(`https://${environment.addresses[0]}`).toBe(away.url);
    await away.dispose();
  });

  test("passes arguments and input as they are", async () => {
    const odd = ["a b", "$(id)", "'\"", "-rf", "", "zeile\nzwei", "naïve"];
    const { stdout } = await dev.run(["printf", "%s|", ...odd]);
    expect(stdout).toBe(`${odd.join("|")}|`);
    expect((await dev.run(["cat"], { input: "to be read" })).stdout).toBe("to be read");
  });

  test("has git repositories and a registry of the user's own", async () => {
    const path = await dev.repo("alpha", { "src/main.c": "int main;\n" });
    expect((await dev.run(["git", "-C", path, "log", "--oneline"])).stdout).toMatch(/First/);
    expect((await dev.run(["git", "-C", path, "status", "--short"])).stdout).toBe("");
    const registry = dev.writeRegistry({ project: [{ name: "alpha" }] });
    expect(parse(readFileSync(registry, "utf8"))).toMatchObject({
      defaults: { repos_root: dev.reposRoot, backup_root: dev.backup.path },
      project: [{ name: "alpha" }],
    });
    for (const each of [path, join(path, "src/main.c"), registry, join(dev.home, ".config")]) {
      expect(statSync(each).uid, each).toBe(dev.user.uid);
    }
  });

  test("has a copy of the project that can be written to, which the checkout cannot", async () => {
    writeFileSync(join(dev.project, "Pulumi.test.yaml"), "");
    expect(existsSync(join(PROJECT, "Pulumi.test.yaml"))).toBe(false);
    expect(() => writeFileSync(join(PROJECT, "Pulumi.test.yaml"), "")).toThrow(/EROFS/);
    expect(existsSync(join(dev.project, "node_modules/@pulumi/pulumi/package.json"))).toBe(true);
  });

  test("has a Pulumi with its state in the user's home", async () => {
    const init = await dev.pulumi(["stack", "init", "rig"]);
    expect(init.exitCode, init.all).toBe(0);
    expect(existsSync(join(dev.home, ".local/state/repoman/pulumi/.pulumi"))).toBe(true);
    expect(dev.deployment("rig")).toHaveProperty("manifest");
  });

  test("has a backup disk that comes and goes with what is on it", async () => {
    const file = join(dev.backup.path, "file");
    expect((await dev.run(["touch", file])).exitCode).toBe(0);
    await dev.backup.unmount();
    expect([dev.backup.mounted, existsSync(file)]).toEqual([false, false]);
    await dev.backup.mount();
    expect([dev.backup.mounted, existsSync(file)]).toEqual([true, true]);
  });

  test("lets a container have its user's ids, and root in there is nobody's root outside", async () => {
    const path = await dev.repo("mapped");
    const { uid, gid } = dev.user;
    await daemon.api("POST", "/1.0/instances", {
      name: "mapped",
      source: { type: "image", alias: "busybox" },
      config: { "raw.idmap": `uid ${uid} ${uid}\ngid ${gid} ${gid}` },
      devices: { repo: { type: "disk", source: path, path: "/repo" } },
    });
    await daemon.api("PUT", "/1.0/instances/mapped/state", { action: "start" });
    const inside = { project: "default", uid, gid };
    const seen = await dev.sh(
      "mapped",
      "touch /repo/theirs && stat -c %u:%g /repo /repo/*",
      inside,
    );
    expect(seen.all).toBe(`${uid}:${gid}\n`.repeat(3));
    expect(statSync(join(path, "theirs"))).toMatchObject({ uid, gid });
    chmodSync(path, 0o777);
    const script = "cp /bin/busybox /repo/root && chmod 4755 /repo/root";
    expect((await dev.sh("mapped", script, { project: "default" })).all).toBe("");
    const left = statSync(join(path, "root"));
    expect(left.mode & 0o7777).toBe(0o4755);
    expect([0, uid]).not.toContain(left.uid);
  });

  test("can have a command killed alone, which shows who lives on, or with all that it started", async () => {
    const script = "setsid sleep 3600 & sleep 3600 & echo up; wait";
    const command = dev.spawn(["sh", "-c", script]);
    await command.printed("up");
    const all = command.processes();
    expect(all).toHaveLength(3);
    command.kill();
    expect(await command.done).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
    expect(command.processes()).toHaveLength(2);
    await command.killAll();
    expect(all.filter(isAlive)).toEqual([]);
  });

  test("takes down a command that takes too long, with what it printed", async () => {
    const slow = dev.spawn(["sh", "-c", "echo begun; sleep 3600"], { timeoutMs: 500 });
    await expect(slow.done).rejects.toThrow(/not done in 0.5 s:\nbegun/);
    expect(slow.processes()).toEqual([]);
  });
});
