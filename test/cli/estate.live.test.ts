// The command line on a real estate: what it prints can be run as it stands.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";

let daemon: Daemon;
let host: Host;
/** The command that takes the estate down, as it is offered. */
let destroy: string;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  host = await makeHost({ user: "dev", daemon });
  await Promise.all(["two words", "beta"].map((name) => host.repo(name)));
  host.write(
    ".config/repoman/profiles.d/tools.yml",
    "description: Tools\nconfig: {}\ndevices: {}\n",
  );
  host.writeRegistry({
    defaults: { profiles: ["default", "tools"] },
    project: [{ name: "alpha", repo: "two words" }, { name: "beta" }],
  });
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

const instances = async () => {
  const { metadata } = await daemon.api("GET", "/1.0/instances?recursion=1&project=repoman");
  return metadata.map(({ name }: { name: string }) => name).sort();
};

test("up beta brings up beta alone on an empty host, with the profile that it needs", async () => {
  const { exitCode, all } = await host.repoman(["up", "beta", "--yes", "--skip-preview"]);
  expect(exitCode, all).toBe(0);
  expect(await instances()).toEqual(["beta"]);
});

test("up --summary tells what there is then", async () => {
  const up = await host.repoman(["up", "--yes", "--skip-preview", "--summary"]);
  expect(up.exitCode, up.all).toBe(0);
  expect(up.stdout).toMatch(
    /\nalpha +Running +10\.\S+ +~\/repos\/two words +busybox +default, tools +just now\n/,
  );
});

test("the commands that are offered next do what they say", async () => {
  const { stdout, exitCode } = await host.repoman(["demo", "summary", "--stack", "rig"]);
  expect(exitCode).toBe(0);
  const [enter = "", change = "", destroying = ""] = stdout
    .slice(stdout.indexOf("Try next:"))
    .split("\n")
    .filter((line) => /^(incus|bin\/)/.test(line));

  // Nobody is there to type.
  expect(enter).toMatch(/^bin\/repoman shell alpha --stack rig$/);
  const inside = `${enter} -- sh -c 'pwd; id -u; echo "$HOME $USER"'`;
  const entered = await host.run(["sh", "-c", inside]);
  expect(entered.stdout).toBe(
    `${join(host.reposRoot, "two words")}\n${host.user.uid}\n${host.home} ${host.user.name}\n`,
  );
  const changed = await host.run(["sh", "-c", change]);
  expect(changed.exitCode, changed.all).toBe(0);
  expect(changed.stdout).toContain('limits.memory: "96MiB"');
  destroy = destroying;
});

test("destroy beta removes it, and what others share stays; the one that is offered takes it all", async () => {
  expect(await host.repoman(["destroy", "beta", "--yes", "--skip-preview"])).toMatchObject({
    exitCode: 0,
  });
  expect(await instances()).toEqual(["alpha"]);
  await daemon.api("GET", "/1.0/profiles/tools");
  const destroyed = await host.run(["sh", "-c", destroy]);
  expect(destroyed.exitCode, destroyed.all).toBe(0);
  expect(await daemon.api("GET", "/1.0/projects")).toMatchObject({
    metadata: ["/1.0/projects/default"],
  });
});
