// `repoman list` on a real estate, held against what a preview plans for the same one.

import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Row } from "../../cli/estate/rows.ts";
import { repoman, up } from "../engine/estate.ts";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { countRequests } from "./counting.ts";
import { openTerminal } from "./terminal.ts";

let daemon: Daemon;
let host: Host;
const NAMES = ["plain", "limited", "renamed", "unmarked", "gone", "exempt", "moved"] as const;

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  host = await makeHost({ user: "dev", daemon });
  await Promise.all([...NAMES, "off"].map((name) => host.repo(name)));
  host.writeRegistry({
    project: [
      ...NAMES.map((name) => ({ name, ...(name === "exempt" && { ignore: ["limits.memory"] }) })),
      { name: "off", enabled: false },
    ],
  });
  await up(host);
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

const rows = async (code = 0, env: NodeJS.ProcessEnv = {}): Promise<Row[]> => {
  const { stdout, exitCode, all } = await host.repoman(["list", "--json"], {
    env: { PULUMI_STACK: "rig", ...env },
  });
  expect(exitCode, all).toBe(code);
  return JSON.parse(stdout);
};
const incus = async (...args: string[]) => {
  const { exitCode, stderr } = await daemon.incus("--project", "repoman", ...args);
  expect(exitCode, stderr).toBe(0);
};

test("an estate as declared is ok throughout, with addresses, in three requests", async () => {
  const counting = await countRequests(daemon);
  try {
    const found = await rows(0, { INCUS_SOCKET: counting.socket });
    expect(counting.taken()).toEqual([
      "GET /1.0",
      "GET /1.0/instances?recursion=1&project=repoman",
      expect.stringMatching(/^GET \/1.0\/networks\/\S+\/leases\?project=repoman$/),
    ]);
    expect(found.map(({ name, drift }) => [name, drift])).toEqual(
      [...NAMES, "off"].map((name) => [name, "ok"]),
    );
    expect(found[0]).toMatchObject({
      state: "Running",
      address: expect.stringMatching(/^10\./),
      repository: join(host.reposRoot, "plain"),
      image: "busybox",
      profiles: ["default"],
      syncResult: "ok",
      lastSync: expect.stringMatching(/^\d{4}-/),
      trust: null,
    });
    expect(found.at(-1)).toMatchObject({ state: null, enabled: false, address: null });
  } finally {
    counting.close();
  }
});

test("what differs is named by property, and is just what a preview would mend", async () => {
  host.write(join(host.reposRoot, "plain/.repoman.toml"), "[config]\n'limits.cpu' = '2'\n");
  await incus("config", "set", "limited", "limits.memory=96MiB");
  await incus("config", "set", "exempt", "limits.memory=96MiB");
  await incus("stop", "--force", "renamed");
  await incus("rename", "renamed", "other-name");
  await incus("config", "unset", "unmarked", "user.repoman.stack");
  await incus("delete", "--force", "gone");
  await incus("launch", "busybox", "stray", "--ephemeral");
  renameSync(join(host.reposRoot, "moved"), join(host.reposRoot, "moved.away"));

  const found = new Map((await rows()).map((row) => [row.name, row]));
  const drifts = Object.fromEntries([...found].map(([name, { drift }]) => [name, drift]));
  expect(drifts).toEqual({
    plain: "ok",
    limited: "drift",
    renamed: "drift",
    unmarked: "drift",
    gone: "missing",
    exempt: "ok",
    moved: "fault",
    off: "ok",
    stray: "orphan",
  });
  expect(found.get("limited")?.differences).toEqual([
    { property: "config.limits.memory", live: "96MiB" },
  ]);
  expect(found.get("renamed")?.differences).toEqual([
    { property: "name", live: "other-name", declared: "renamed" },
  ]);
  expect(found.get("moved")?.reason).toContain("is not there");
  expect(found.get("plain")?.trust).toContain("asks for config");

  const { stdout } = await repoman(host, 0, "preview", "--json");
  const { steps } = JSON.parse(stdout) as { steps: { op: string; urn: string }[] };
  const planned = steps
    .filter(({ urn, op }) => urn.includes(":RepoContainer::") && !/^(same|refresh|read)$/.test(op))
    .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
  const drifted = [...found.values()].filter(({ drift }) => /^(drift|missing)$/.test(drift));
  expect(planned.sort()).toEqual(drifted.map(({ name }) => name).sort());
});

test("the table fits into 80 columns, and says below what it has no room for", async () => {
  const terminal = openTerminal(host, [join(host.project, "bin/repoman"), "list"], {
    columns: 80,
    env: { PULUMI_STACK: "rig" },
  });
  const { exitCode, text } = await terminal.done;
  expect(exitCode, text).toBe(0);
  const table = text.trimEnd().split("\n");
  expect(table[0]).toMatch(/^NAME +STATE +ADDRESS +REPOSITORY +IMAGE +PROFILES +SYNCED +DRIFT$/);
  for (const line of table.slice(0, NAMES.length + 3)) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toMatch(/\nplain ! +Running +10\.\S+ +plain +busybox +default +(now|\d+ min) +ok\n/);
  expect(text).toContain("limited: config.limits.memory differs from what is declared");
  expect(text).toContain("stray: repoman did not make it");
  expect(text).toContain("repoman trust plain");
});

test("a server that is out of reach says nothing of any container, and exits 3", async () => {
  await daemon.stop();
  const found = await rows(3);
  expect(found).toHaveLength(NAMES.length + 1);
  for (const { drift, state, address } of found) {
    expect({ drift, state, address }).toEqual({ drift: "unreachable", state: null, address: null });
  }
  expect(found[0]).toMatchObject({ image: "busybox", syncResult: "ok" });
  const { all, stdout } = await repoman(host, 3, "list");
  expect(stdout).toMatch(/\nlimited +- .* unreachable\n/);
  expect(all.match(/Incus socket/g)).toHaveLength(1);
});
