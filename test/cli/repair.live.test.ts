// Going through what is not as the registry says, at a terminal and without one.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { expectNoChanges, instance, instanceNames, repoman, Shared, up } from "../engine/estate.ts";
import type { Daemon } from "../rig/daemon.ts";
import type { Host } from "../rig/host.ts";
import { KEY, openTerminal } from "./terminal.ts";

const shared = new Shared({ images: ["busybox"], repos: ["alpha", "gone", "hand"] });
let daemon: Daemon;
let host: Host;

beforeAll(async () => {
  ({ daemon, host } = shared);
  host.writeRegistry({
    project: [
      { name: "alpha", backup: false },
      { name: "gone", backup: false },
    ],
  });
  await up(host);
});

const registry = () => readFileSync(join(host.home, ".config/repoman/repoman.toml"), "utf8");

async function byHand(name: string, devices: object = {}) {
  await daemon.api("POST", "/1.0/instances?project=repoman", {
    name,
    type: "container",
    source: { type: "image", alias: "busybox" },
    devices,
    start: true,
  });
}

test("nothing to repair is good", async () => {
  const { stderr } = await repoman(host, 0, "repair");
  expect(stderr).toBe("Nothing needs to be repaired.\n");
});

test("without a terminal it prints what there is and the commands, and changes nothing", async () => {
  for (const name of ["alpha", "gone"]) {
    await daemon.incus("delete", "--force", "--project", "repoman", name);
  }
  const source = join(host.reposRoot, "hand");
  await byHand("hand", { repo: { type: "disk", source, path: source, shift: "true" } });
  await byHand("stray");
  const { stdout } = await repoman(host, 1, "repair");
  expect(stdout).toMatch(
    /^alpha has no container\n {2}recreate .*\n +bin\/repoman up alpha --yes\n/,
  );
  expect(stdout).toMatch(
    /gone has no container\n[\s\S]*? forget [\s\S]*?bin\/repoman remove gone --yes\n/,
  );
  expect(stdout).toMatch(
    /hand is in the Incus project[\s\S]*? adopt [\s\S]*?bin\/repoman adopt hand --yes\n/,
  );
  expect(stdout).toMatch(
    /stray is .*\n {2}destroy .*\n +incus delete --force --project repoman stray/,
  );
  const { stdout: json } = await repoman(host, 1, "repair", "gone", "--json");
  expect(JSON.parse(json)).toMatchObject([
    { name: "gone", state: "missing", ways: [{ choice: "recreate" }, { choice: "forget" }] },
  ]);
  await repoman(host, 2, "repair", "nobody");
  expect(await instanceNames(daemon)).toEqual(["hand", "stray"]);
});

test("at a terminal each is repaired as one answers", async () => {
  const shell = openTerminal(host, [join(host.project, "bin/repoman"), "repair"], {
    env: { PULUMI_STACK: "rig" },
    timeoutMs: 100_000,
  });
  await shell.shows("What is to become of alpha?");
  shell.type(KEY.down + KEY.enter);
  await shell.shows("What is to become of gone?");
  shell.type(KEY.down + KEY.down + KEY.enter);
  await shell.shows("What is to become of hand?");
  shell.type(KEY.down + KEY.enter);
  await shell.shows("Adopt hand?");
  shell.type("y");
  await shell.shows("What is to become of stray?");
  shell.type(KEY.down + KEY.enter);
  await shell.shows("Type stray to do so:");
  shell.type(`stay${KEY.enter}`);
  const { exitCode, text } = await shell.done;
  expect(text).toMatch(/That is not its name: stray is left as it is/);
  expect(exitCode, text).toBe(1);
  expect(await instanceNames(daemon)).toEqual(["alpha", "hand", "stray"]);
  expect((await instance(daemon, "alpha")).status).toBe("Running");
  expect(registry()).not.toContain('"gone"');
  expect(registry()).toContain('"hand"');

  const again = openTerminal(host, [join(host.project, "bin/repoman"), "repair", "stray"], {
    env: { PULUMI_STACK: "rig" },
  });
  await again.shows("What is to become of stray?");
  again.type(KEY.down + KEY.enter);
  await again.shows("Type stray to do so:");
  again.type(`stray${KEY.enter}`);
  const ended = await again.done;
  expect(ended.exitCode, ended.text).toBe(0);
  expect(await instanceNames(daemon)).toEqual(["alpha", "hand"]);
  await expectNoChanges(host);
  const { stdout } = await repoman(host, 0, "log");
  for (const done of [
    /repair: forget {2}gone {2}ok/,
    /repair: adopt {2}hand {2}ok/,
    /destroy {2}stray/,
  ]) {
    expect(stdout).toMatch(done);
  }
});
