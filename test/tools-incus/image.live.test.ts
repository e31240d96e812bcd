import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { writeStackConfig } from "../../cli/pulumi/stack-config.ts";
import { Api } from "../../tools/incus/api.js";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { importDebian } from "../rig/debian.ts";
import { makeHost } from "../rig/host.ts";
import { addressOf, eventually } from "./own.ts";

/** There is no network in here to begin an image from: set-up has put it into the cache, or its half. */
const folder = join(process.env.REPOMAN_RIG_CACHE ?? "", "images");
const cached = existsSync(folder) && readdirSync(folder).some((name) => name.includes(".tar"));

describe("the Debian image that is built on the machine", () => {
  let daemon: Daemon;
  let alias: string;
  const env = { PULUMI_STACK: "rig" };
  beforeAll(async () => {
    if (!cached) throw new Error(`no image in ${folder}: \`npm test\` puts it there`);
    daemon = await startDaemon();
    alias = await importDebian(daemon);
  }, 300_000);
  afterAll(() => daemon?.dispose());

  const exec = async (...command: string[]) => {
    const { exitCode, stdout } = await daemon.incus("exec", "one", "-T", "--", ...command);
    return exitCode === 0 ? stdout.trim() : `exit code ${exitCode}`;
  };

  test("starts a whole system within seconds, with an address and its own name", async () => {
    const api = new Api(daemon.socket);
    await api.post("/1.0/instances", {
      name: "one",
      type: "container",
      source: { type: "image", alias },
      start: true,
    });
    await eventually("the system", async () =>
      /running|degraded/.test(
        (await daemon.incus("exec", "one", "--", "systemctl", "is-system-running")).stdout,
      ),
    );
    const address = await addressOf(daemon.socket, "one");
    expect(address).toContain(daemon.subnet.replace(/\d+\/\d+$/, ""));
    expect(await exec("systemctl", "--failed", "--plain", "--no-legend")).toBe("");
    expect(await exec("hostname")).toBe("one");
    expect(await exec("getent", "hosts", "one")).toContain("one");
    expect(await exec("cat", "/etc/resolv.conf")).toContain(
      `nameserver ${daemon.subnet.replace(/\/.*/, "")}`,
    );
  });

  test("has a journal, of which `repoman logs` prints the end, and what comes", async () => {
    const host = await makeHost({ user: "root", daemon });
    onTestFinished(() => host.dispose());
    await writeStackConfig(join(host.project, "Pulumi.rig.yaml"), { stackId: "0f0f0f0f" });
    await daemon.incus("config", "set", "one", "user.repoman.stack=0f0f0f0f");
    await host.repo("one");
    host.writeRegistry({ defaults: { incus_project: "default" }, project: [{ name: "one" }] });
    await exec("logger", "--tag", "rig", "first\u001b[31m");
    const { stdout, exitCode, all } = await host.repoman(["logs", "one", "-n", "10"], { env });
    expect(exitCode, all).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(10);
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\S+ one \S+: /);
    expect(stdout).toMatch(/ rig\S*: first/);
    expect(stdout).not.toContain("\u001b");

    const following = host.spawnRepoman(["logs", "one", "--follow", "-n", "10"], { env });
    await following.printed("first");
    await exec("logger", "--tag", "rig", "second");
    await following.printed("second");
    following.killGroup("SIGINT");
    expect(await following.done).toMatchObject({ exitCode: 0 });
  });

  test("has what a developer's container needs", async () => {
    for (const program of ["bash", "curl", "git", "less", "python3", "sudo"]) {
      expect(await exec("which", program)).toMatch(new RegExp(`/${program}$`));
    }
    // Made in a container, and still root's, with what makes them work.
    expect(await exec("stat", "-c", "%u %g %a", "/usr/bin/sudo")).toBe("0 0 4755");
    expect(await exec("sudo", "-u", "nobody", "id", "-un")).toBe("nobody");
    expect(await exec("cat", "/etc/apt/sources.list")).toMatch(/^deb http/m);
  });

  test("gives each container an identity of its own", async () => {
    expect(await exec("cat", "/etc/machine-id")).toMatch(/^[0-9a-f]{32}$/);
    const api = new Api(daemon.socket);
    await api.post("/1.0/instances", {
      name: "two",
      type: "container",
      source: { type: "image", alias },
      start: true,
    });
    let id = "";
    await eventually("an identity", async () => {
      const { stdout } = await daemon.incus("exec", "two", "-T", "--", "cat", "/etc/machine-id");
      id = stdout.trim();
      return id !== "";
    });
    expect(id).not.toBe(await exec("cat", "/etc/machine-id"));
  });

  test("is there once, however often it is asked for", async () => {
    expect(await importDebian(daemon)).toBe(alias);
    expect(await new Api(daemon.socket).list("/1.0/images")).toHaveLength(1);
  });

  test("leaves nothing of its making on the server", async () => {
    const api = new Api(daemon.socket);
    const instances = await api.list("/1.0/instances?recursion=1&all-projects=true");
    expect(instances.map(({ name }) => name).sort()).toEqual(["one", "two"]);
  });
});
