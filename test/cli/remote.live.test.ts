// The same commands on a server that is reached over HTTPS, as a remote of the incus client.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeStackConfig } from "../../cli/pulumi/stack-config.ts";
import { expectNoChanges, instance, repoman } from "../engine/estate.ts";
import { own } from "../rig/copy.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { KEY, openTerminal } from "./terminal.ts";

let daemon: Daemon;
let host: Host;

beforeAll(async () => {
  daemon = await startDaemon({ https: true });
  await importImages(daemon, ["busybox"]);
  // There is no daemon to be found on its own side of the network.
  host = await makeHost({ user: "dev" });
  await host.addRemote("big", daemon);
  await host.repo("web");
  const file = join(host.project, "Pulumi.rig.yaml");
  await writeStackConfig(file, { remote: "big" });
  own(file, host.user);
  host.writeRegistry({});
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

const env = { PULUMI_STACK: "rig" };
const state = async () => (await instance(daemon, "web"))?.status;

test("a container is made there, listed, entered, stopped, started and read", async () => {
  const { stdout: made } = await repoman(host, 0, "new", "web", "--yes");
  expect(made).toBe("Made web. Work in it: bin/repoman shell web\n");
  expect(await state()).toBe("Running");
  await expectNoChanges(host);

  const { stdout: list } = await repoman(host, 0, "list", "--json");
  expect(JSON.parse(list)).toMatchObject([
    { name: "web", state: "Running", drift: "ok", address: expect.stringMatching(/^10\./) },
  ]);
  const { stdout: health } = await repoman(host, 0, "status", "--json", "--exit-code");
  expect(JSON.parse(health).findings).toContainEqual(
    expect.objectContaining({
      group: "server",
      state: "good",
      what: expect.stringContaining(`${daemon.url} (remote "big")`),
    }),
  );

  const inside = await host.repoman(
    ["shell", "web", "--", "sh", "-c", "cat; pwd; id -un; exit 7"],
    {
      env,
      input: "piped\n",
    },
  );
  expect(inside.exitCode, inside.all).toBe(7);
  expect(inside.stdout).toBe(`piped\n${join(host.reposRoot, "web")}\n${host.user.name}\n`);
  const shell = openTerminal(host, [join(host.project, "bin/repoman"), "shell", "web"], {
    env,
    columns: 71,
  });
  await shell.shows("$ ");
  shell.type(`stty size${KEY.enter}`);
  await shell.shows("40 71");
  shell.type(KEY.end);
  expect(await shell.done).toMatchObject({ exitCode: 0 });

  await repoman(host, 0, "stop", "web", "--force");
  expect(await state()).toBe("Stopped");
  await repoman(host, 0, "start", "web");
  expect(await state()).toBe("Running");
  const print = ["--root", "--", "sh", "-c", "echo from afar >/dev/console"];
  await repoman(host, 0, "shell", "web", ...print);
  expect((await repoman(host, 0, "logs", "web", "-n", "1")).stdout).toBe("from afar\n");
});

test("one that is away is told by its name and address, with exit code 3", async () => {
  await daemon.stop();
  for (const args of [
    ["list"],
    ["shell", "web", "--", "true"],
    ["start", "web"],
    ["up", "--yes"],
  ]) {
    const { all } = await repoman(host, 3, ...args);
    expect(all, args.join(" ")).toContain(`${daemon.url} (remote "big")`);
  }
});
