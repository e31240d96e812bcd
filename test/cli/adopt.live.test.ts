// Taking containers of others into the estate: nothing of them changes, and a preview is clean.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instance, instanceNames, repoman, up } from "../engine/estate.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { until } from "../rig/place.ts";
import { KEY, openTerminal } from "./terminal.ts";

let daemon: Daemon;
let host: Host;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon);
  host = await makeHost({ user: "dev", daemon });
  for (const name of ["alpha", "hand", "proto", "cut1", "cut2", "cut3", "one", "two", "theirs"]) {
    await host.repo(name);
  }
  host.write(join(host.reposRoot, "notes/today"), "");
  host.writeRegistry(`# mine\n${registryText()}`);
  await up(host);
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

function registryText(): string {
  return `[repoman]
schema = 3

[defaults]
repos_root = "${host.reposRoot}"
backup_root = "${host.backup.path}"
default_image = "busybox"

[[project]]
name = "alpha" # the first
`;
}

const registry = () => readFileSync(join(host.home, ".config/repoman/repoman.toml"), "utf8");

/** A container as somebody makes one by hand. */
async function byHand(name: string, project: string, more: Record<string, unknown> = {}) {
  const { devices, config, ...rest } = more as { devices?: object; config?: object };
  await daemon.api("POST", `/1.0/instances?project=${project}`, {
    name,
    type: "container",
    source: { type: "image", alias: "busybox" },
    profiles: ["default"],
    config: config ?? {},
    devices: devices ?? {
      work: {
        type: "disk",
        source: join(host.reposRoot, name),
        path: "/work",
        shift: "true",
      },
    },
    start: true,
    ...rest,
  });
  if (more.start === false) return;
  await until(
    `${name} to run`,
    async () => (await instance(daemon, name, project))?.status === "Running",
  );
}

/** Everything of an instance that is not repoman's own mark or the server's bookkeeping. */
async function asItIs(name: string, project = "repoman") {
  const { config, devices, profiles, description, status } = await instance(daemon, name, project);
  const kept = Object.entries(config as Record<string, string>).filter(
    ([key]) =>
      !key.startsWith("user.repoman.") &&
      !/^volatile\.(last_state|cloud-init|eth0\.host_name)/.test(key),
  );
  return { config: Object.fromEntries(kept.sort()), devices, profiles, description, status };
}

test("one in the estate's project keeps running, and is declared as it is", async () => {
  await byHand("hand", "repoman", {
    description: "by hand",
    config: { "limits.memory": "512MiB", "environment.A": "one two", "user.note": "a\nb" },
    devices: {
      work: { type: "disk", source: join(host.reposRoot, "hand"), path: "/work", shift: "true" },
      "port-18080": { type: "proxy", listen: "tcp:127.0.0.1:18080", connect: "tcp:127.0.0.1:80" },
      tools: { type: "disk", source: "/usr/share", path: "/opt/tools", readonly: "true" },
      more: { type: "disk", source: join(host.reposRoot, "notes"), path: "/notes", shift: "true" },
    },
  });
  await host.sh("hand", "sleep 1000 & echo $! > /run/pid");
  const before = await asItIs("hand");
  const { all: several } = await repoman(host, 2, "adopt", "hand");
  expect(several).toMatch(/several directories below .*\n +Say which one .*: --repo DIR/);
  const { all: refused } = await repoman(host, 2, "adopt", "hand", "--repo", "hand");
  expect(refused).toMatch(/adds hand to the registry, and there is no terminal to ask at/);
  expect(refused).toMatch(/limits\.memory +512MiB +config/);
  expect(refused).toMatch(/device port-18080 .* ports "18080:80"/);
  expect(registry()).not.toContain("hand");

  for (const answer of ["n", "y"]) {
    const terminal = openTerminal(host, [join(host.project, "bin/repoman"), "adopt"], {
      env: { PULUMI_STACK: "rig" },
    });
    await terminal.shows("Which of them?");
    terminal.type(KEY.space + KEY.enter);
    await terminal.shows("Which directory of hand is its repository?");
    terminal.type(KEY.enter);
    await terminal.shows(/IT HAS +VALUE +IN THE REGISTRY/);
    await terminal.shows("Adopt hand?");
    terminal.type(answer);
    const { exitCode, text } = await terminal.done;
    expect(exitCode, text).toBe(answer === "y" ? 0 : 1);
    expect(registry().includes('"hand"')).toBe(answer === "y");
    expect(text).toContain(
      answer === "y" ? "Adopted hand: nothing inside was changed" : "Nothing was changed.",
    );
  }
  expect(await asItIs("hand")).toEqual(before);
  expect((await host.sh("hand", "kill -0 $(cat /run/pid)")).exitCode).toBe(0);
  expect((await instance(daemon, "hand")).config).not.toHaveProperty(["user.repoman.adopting"]);
  expect(registry()).toContain("# mine\n");
  expect(registry()).toContain('name = "alpha" # the first\n');
  const { stdout: list } = await repoman(host, 0, "list", "--json");
  const drifts = JSON.parse(list).map(({ name, drift }: Record<string, string>) => [name, drift]);
  expect(drifts).toEqual([
    ["alpha", "ok"],
    ["hand", "ok"],
  ]);
  await repoman(host, 0, "adopt", "hand", "--yes");
});

test("what is another stack's, or not to be told, is refused and left", async () => {
  await byHand("theirs", "repoman", { config: { "user.repoman.stack": "0123456789abcdef" } });
  const { all } = await repoman(host, 4, "adopt", "theirs", "--yes");
  expect(all).toMatch(/it belongs to the stack "\?" \(id 0123456789abcdef\)/);
  expect((await instance(daemon, "theirs")).config["user.repoman.adopting"]).toBeUndefined();
  await daemon.incus("delete", "--force", "--project", "repoman", "theirs");

  await byHand("alpha", "default", { start: false });
  const args = ["adopt", "alpha", "--from-project", "default", "--yes"];
  const { all: taken } = await repoman(host, 4, ...args);
  expect(taken).toMatch(/in the Incus project "repoman" as well as in "default"/);
  await daemon.incus("delete", "--force", "alpha");
  const { all: nobody } = await repoman(host, 2, "adopt", "alfa", "--yes");
  expect(nobody).toMatch(/no instance "alfa".*\n.*Did you mean "alpha"/);
});

test("a name that the registry has is refused before anything is moved", async () => {
  host.writeRegistry(`${registry()}\n[[project]]\nname = "one"\nenabled = false\n`);
  await byHand("one", "default");
  const { all } = await repoman(host, 4, "adopt", "one", "--from-project", "default", "--yes");
  expect(all).toMatch(/has a project "one" already, and the instance is not its container/);
  expect((await instance(daemon, "one", "default")).status).toBe("Running");
  host.writeRegistry(registry().replace('\n[[project]]\nname = "one"\nenabled = false\n', ""));
});

/** One of another project with a device, a proxy and a snapshot; and what of it is to stay. */
async function prototype() {
  const source = join(host.reposRoot, "proto");
  const devices = {
    repo: { type: "disk", source, path: source, shift: "true" },
    proxy: { type: "proxy", listen: "tcp:127.0.0.1:18081", connect: "tcp:127.0.0.1:80" },
    gpu: { type: "unix-char", source: "/dev/null", path: "/dev/gpu", mode: "0666" },
  };
  await byHand("proto", "default", { devices, config: { "security.nesting": "true" } });
  await daemon.api("POST", "/1.0/instances/proto/snapshots", { name: "first" });
  await host.sh("proto", "echo kept > /kept", { project: "default" });
  const { all: elsewhere } = await repoman(host, 2, "adopt", "proto", "--yes");
  expect(elsewhere).toMatch(/in the Incus project "default", not in "repoman"/);
  return asItIs("proto", "default");
}

test("--all moves those of another project that have a repository, with proxy, device and snapshot, and finishes what was cut off anywhere", async () => {
  const before = await prototype();
  const moments: [string, (name: string) => Promise<unknown>][] = [
    [
      "marked",
      async (name) =>
        (await instance(daemon, name, "default"))?.config["user.repoman.adopting"] === "running",
    ],
    ["moved", async (name) => instance(daemon, name)],
    ["in the registry", async (name) => registry().includes(`"${name}"`)],
  ];
  for (const [index, [moment, isThere]] of moments.entries()) {
    const name = `cut${index + 1}`;
    await byHand(name, "default");
    const adopting = host.spawnRepoman(["adopt", name, "--from-project", "default", "--yes"], {
      env: { PULUMI_STACK: "rig" },
    });
    await until(`${name} to be ${moment}`, () => isThere(name));
    await adopting.killAll();
    // The server ends by itself what it has begun.
    await until(`one of ${name}`, async () => {
      const [here, there] = [await instance(daemon, name), await instance(daemon, name, "default")];
      return (here === undefined) !== (there === undefined);
    });
  }
  await byHand("two", "default");
  await byHand("other", "default", { devices: {} });
  const args = ["adopt", "--all", "--from-project", "default", "--yes", "--json"];
  const { all, stdout } = await repoman(host, 0, ...args);
  expect(all).toMatch(/other has no repository below .*, and is left as it is/);
  const adopted = ["cut1", "cut2", "cut3", "one", "proto", "two"];
  expect(JSON.parse(stdout).sort(byName)).toEqual(
    adopted.map((name) => ({ name, result: "adopted" })),
  );
  expect(await instanceNames(daemon, "default")).toEqual(["other"]);
  for (const name of adopted) {
    expect((await instance(daemon, name)).status, name).toBe("Running");
    expect((await instance(daemon, name)).config).not.toHaveProperty(["user.repoman.adopting"]);
    expect(registry().match(new RegExp(`"${name}"`, "g")), name).toHaveLength(1);
  }
  expect(await asItIs("proto")).toEqual(before);
  expect((await host.sh("proto", "cat /kept && test -e /dev/gpu")).stdout).toBe("kept\n");
  const { metadata } = await daemon.api("GET", "/1.0/instances/proto/snapshots?project=repoman");
  expect(metadata).toHaveLength(1);
});

test("all of them are the estate's from now on: what differs of one is put right, and nothing else is there to do", async () => {
  const hand = await asItIs("hand");
  await daemon.incus("config", "set", "--project", "repoman", "hand", "limits.memory=1GiB");
  const { stdout } = await up(host);
  expect(stdout).toMatch(/\nResources:\n +~ 1 updated\n +\d+ unchanged\n/);
  expect(await asItIs("hand")).toEqual(hand);
});

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
