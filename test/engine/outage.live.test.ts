// Out of reach is not gone: a daemon, a repository, a mount, a disk that are away for a while.

import { existsSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Daemon, startDaemon } from "../rig/daemon.ts";
import { type Host, makeHost } from "../rig/host.ts";
import { importImages } from "../rig/images.ts";
import { automount } from "../rsync/automount.ts";
import { expectNoChanges, instance, instanceNames, outputs, repoman, STACK, up } from "./estate.ts";
import { holdUnpack, startUp } from "./moments.ts";
import { importBig, PAD_BYTES } from "./odd-images.ts";

let daemon: Daemon;
let host: Host;
const projects: Record<string, unknown>[] = [];

/** Adds a project to the registry, or changes one. */
async function declare(name: string, more: Record<string, unknown> = {}): Promise<void> {
  const known = projects.find((each) => each.name === name);
  if (known) Object.assign(known, more);
  else {
    projects.push({ name, ...more });
    await host.repo(name);
  }
  host.writeRegistry({ project: projects });
}

const mounts = () => join(host.home, "mounts");
const mount = (name: string, more: object = {}) => ({
  mount: [{ source: join(mounts(), name), path: `/mnt/${name}`, ...more }],
});

function undeclare(name: string): void {
  const at = projects.findIndex((each) => each.name === name);
  if (at >= 0) projects.splice(at, 1);
  host.writeRegistry({ project: projects });
}

/** What no output of a foreseen failure may hold. */
function expectPlain(all: string): void {
  expect(all).not.toMatch(/^\s+at |Exception|TypeError|unhandled/m);
}

/** What a preview plans to change, and what it warns of. */
async function previewed(
  code: number,
  ...flags: string[]
): Promise<{ plan: string[]; warnings: string }> {
  const { stdout, all } = await repoman(host, code, "preview", "--json", ...flags);
  expectPlain(all);
  const { steps, diagnostics = [] } = JSON.parse(stdout) as {
    steps: { op: string; urn: string }[];
    diagnostics?: { severity: string; message: string }[];
  };
  const plan = steps
    .filter(({ op }) => !["same", "refresh", "read"].includes(op))
    .map(({ op, urn }) => `${op} ${urn.replace(/^.*[$:](\w+::)/, "$1")}`)
    .sort();
  const said = diagnostics.filter(({ severity }) => severity === "warning");
  return { plan, warnings: said.map(({ message }) => message).join("\n") };
}

/** The next run makes or finishes this project and has nothing to do for any other. */
async function expectFinishes(name: string): Promise<void> {
  const { all } = await up(host);
  expect(all).not.toMatch(/replace|delete/);
  expect(all).not.toMatch(
    new RegExp(`(RepoContainer|RsyncBackup) +(?!${name} )\\S+ +(creat|updat)`),
  );
}

/** The resources in Pulumi's state, with the ids by which their objects are known. */
function state(): string[] {
  return (
    host.deployment(STACK).resources as { urn: string; id?: string; outputs?: { uuid?: string } }[]
  )
    .filter(({ id }) => id)
    .map(({ urn, id, outputs }) => `${urn} ${id} ${outputs?.uuid ?? ""}`)
    .sort();
}

function stateBut(name: string): string[] {
  return state().filter((each) => !each.includes(`::${name} `));
}

beforeAll(async () => {
  daemon = await startDaemon();
  await importImages(daemon, ["busybox"]);
  await importBig(daemon, "big");
  await importBig(daemon, "bigger");
  host = await makeHost({ user: "dev", daemon });
  for (const name of ["needed", "optional"]) host.write(`mounts/${name}/file`, name);
  await declare("alpha", mount("needed"));
  await declare("beta", mount("optional", { optional: true }));
  await declare("moved");
  await declare("profiled");
  await up(host);
});
afterAll(async () => {
  await host?.dispose();
  await daemon?.dispose();
});

describe("a daemon that does not answer", () => {
  test("before a run is told in one message, and nothing is planned", async () => {
    const before = state();
    await daemon.stop();
    for (const args of [["preview"], ["preview", "--expect-no-changes"], ["up", "--yes"]]) {
      const { all } = await repoman(host, 3, ...args);
      expect(all.match(/error: /g)).toHaveLength(1);
      expect(all).toMatch(/^error: .*Incus socket.*\n {2}\S/);
      expectPlain(all);
    }
    const plain = await host.pulumi(["preview"], { env: { PULUMI_STACK: STACK } });
    expect(plain.exitCode).not.toBe(0);
    const shown = plain.all.slice(plain.all.indexOf("Diagnostics:"));
    expect(shown.match(/Incus socket/g)).toHaveLength(1);
    expect(plain.all).not.toMatch(/\b(to )?(create|delete|replace)d?\b/);
    expectPlain(plain.all);
    expect(state()).toEqual(before);

    await daemon.restart();
  });

  test("since it was killed in the middle of a create fails the run; the next one finishes", async () => {
    const before = stateBut("killed");
    await declare("killed", { image: "big" });
    const run = startUp(host);
    const unpack = await holdUnpack(daemon, "killed");
    await daemon.kill();
    unpack.kill();
    const { exitCode, all } = await run.done;
    expect(exitCode, all).toBe(3);
    expect(all).toMatch(/cannot create instance \\?"killed\\?"/);
    expectPlain(all);
    // What exists is as it was: nothing of it was taken for gone.
    expect(state()).toEqual(expect.arrayContaining(before));
    expect((await repoman(host, 3, "preview")).all).not.toMatch(/Previewing/);

    await daemon.restart();
    await expectFinishes("killed");
    const rootfs = join(daemon.dir, "storage-pools/default/containers/repoman_killed/rootfs");
    expect(statSync(join(rootfs, "pad")).size).toBe(PAD_BYTES);
    expect(await instance(daemon, "killed")).toMatchObject({ status: "Running" });
    expect(state()).toEqual(expect.arrayContaining(before));
  });

  test("since it was shut down in the middle of a create fails the run; the next one finishes", async () => {
    const before = stateBut("stopped");
    await declare("stopped", { image: "bigger" });
    const run = startUp(host);
    const unpack = await holdUnpack(daemon, "stopped");
    const stopped = daemon.stop();
    await daemon.api("GET", "/1.0").catch(() => undefined);
    unpack.go();
    await stopped;
    const { exitCode, all } = await run.done;
    expect(exitCode, all).toBe(3);
    expectPlain(all);

    await daemon.restart();
    await expectFinishes("stopped");
    expect(await instance(daemon, "stopped")).toMatchObject({ status: "Running" });
    expect(state()).toEqual(expect.arrayContaining(before));
  });
});

describe("what is away on the host", () => {
  const hide = (path: string) => renameSync(path, `${path}.away`);
  const bringBack = (path: string) => renameSync(`${path}.away`, path);

  test("fails only its own project, at preview already; back again, all is as declared", async () => {
    const before = state();
    const moved = join(host.reposRoot, "moved");
    for (const path of [moved, join(mounts(), "needed"), join(mounts(), "optional")]) hide(path);
    await declare("profiled", { profiles: ["default", "nowhere"] });
    await daemon.incus("config", "set", "--project", "repoman", "beta", "limits.memory=96MiB");
    await daemon.incus("config", "set", "--project", "repoman", "alpha", "limits.memory=96MiB");

    const troubles = [
      `project "alpha": "${mounts()}/needed", mounted at "/mnt/needed", is not there`,
      `project "moved": the repository "${moved}" is not there`,
      `project "profiled": the profile "nowhere" is neither in the library nor on the server`,
    ];
    const { plan, warnings } = await previewed(0);
    const optional = `project "beta": "${mounts()}/optional", mounted at "/mnt/optional", is not there`;
    for (const text of [...troubles, optional]) expect(warnings).toContain(text);
    expect(plan).toEqual(["update RepoContainer::beta"]);

    const { all } = await repoman(host, 1, "up", "--yes", "--skip-preview");
    for (const text of troubles) expect(all).toContain(`error: ${text}`);
    expectPlain(all);
    // The others were brought up, and of what is away nothing was touched.
    expect((await instance(daemon, "beta")).config["limits.memory"]).toBeUndefined();
    expect((await instance(daemon, "alpha")).config["limits.memory"]).toBe("96MiB");
    expect(state()).toEqual(before);

    // A judge is not content with a project that nobody can look after.
    await repoman(host, 1, "preview", "--expect-no-changes");

    for (const path of [moved, join(mounts(), "needed"), join(mounts(), "optional")]) {
      bringBack(path);
    }
    await declare("profiled", { profiles: ["default"] });
    await up(host);
    expect((await instance(daemon, "alpha")).config["limits.memory"]).toBeUndefined();
    expect(state()).toEqual(before);
  });
});

describe("a backup disk that is away", () => {
  test("is no drift, and no judge is content without it", async () => {
    await host.backup.unmount();
    const { plan, warnings } = await previewed(1, "--expect-no-changes");
    expect(plan).toEqual([]);
    expect(warnings.match(/Mount the backup disk\./g)).toHaveLength(1);
  });

  test("keeps no container back, nor does what a server refuses, which is no reason to delete", async () => {
    const before = stateBut("moved");
    host.write(
      ".config/repoman/profiles.d/refused.yml",
      "description: Refused\nconfig:\n  limits.nonsense: '1'\n",
    );
    await declare("alpha", { profiles: ["default", "refused"] });
    await declare("late");
    undeclare("moved");
    const { all } = await repoman(host, 1, "up", "--yes", "--skip-preview");
    expect(all).toMatch(/error: cannot create profile "refused": Unknown configuration key/);
    expect(all).toContain('error: project "alpha": it needs the profile "refused", which failed');
    expect(all).toMatch(/RsyncBackup \(late\):\s+error: .*\s+Mount the backup disk\./);
    expectPlain(all);
    const names = await instanceNames(daemon);
    expect(names).toEqual(projects.map(({ name }) => name as string).sort());
    const { containers } = outputs(host);
    expect(containers.late).toMatchObject({ state: "Running" });
    expect(containers.alpha).toMatchObject({ state: null });
    expect(containers.moved).toBeUndefined();
    // Nothing was copied into the folder that the disk was mounted over.
    expect(readdirSync(host.backup.path)).toEqual([]);
    expect(state()).toEqual(expect.arrayContaining(before));
  });

  test("and is back, has what it missed, but for the copy that has something in its way", async () => {
    await host.backup.mount();
    // The registry's first project, whose copy is made anew since its declaration changed.
    await declare("alpha", { profiles: ["default"], exclude: ["scratch/"] });
    const copy = join(host.backup.path, "alpha");
    renameSync(copy, `${copy}.real`);
    symlinkSync("alpha.real", copy);
    expect((await previewed(0)).warnings).toBe("");
    const { all } = await repoman(host, 1, "up", "--yes", "--skip-preview");
    expect(new Set(all.match(/error: backup .*/g))).toEqual(
      new Set([`error: backup "alpha": refused: ${copy} is not a directory but a symbolic link`]),
    );
    expectPlain(all);
    expect(existsSync(join(host.backup.path, "late/.git/HEAD"))).toBe(true);

    rmSync(copy);
    renameSync(`${copy}.real`, copy);
    await up(host);
    await expectNoChanges(host);
  });
});

describe("what does not answer", () => {
  test("holds up neither the other projects nor any command, and is named", async () => {
    const repo = join(host.reposRoot, "beta");
    const logdir = join(host.backup.path, "log");
    host.writeRegistry({ defaults: { logdir }, project: projects });
    await host.backup.unmount();
    const deaf = await Promise.all([automount(repo), automount(host.backup.path)]);
    const [preview, list, status, sync] = await Promise.all([
      previewed(0),
      repoman(host, 0, "list", "--json"),
      repoman(host, 0, "status", "--json"),
      repoman(host, 3, "sync"),
    ]);
    for (const mount of deaf) await mount.end();
    await host.backup.mount();
    host.writeRegistry({ project: projects });

    const fault = `the repository "${repo}" does not answer within 5 s: it lies on autofs at ${repo}`;
    const disk = `The backup disk at ${host.backup.path} does not answer within 10 s`;
    expect(preview.warnings).toContain(`project "beta": ${fault}`);
    expect(preview.warnings).toContain(disk);
    expect(preview.plan).toEqual([]);

    const rows = JSON.parse(list.stdout) as { name: string; drift: string; reason: string }[];
    expect(rows.find(({ name }) => name === "beta")).toMatchObject({
      drift: "fault",
      reason: expect.stringContaining(fault),
    });
    const others = rows.filter(({ name }) => name !== "beta").map(({ drift }) => drift);
    expect(new Set(others)).toEqual(new Set(["ok"]));

    const { findings } = JSON.parse(status.stdout) as { findings: Record<string, string>[] };
    const bad = findings.filter(({ state }) => state === "bad").map(({ what }) => what);
    expect(bad).toEqual(expect.arrayContaining([fault, disk]));
    const containers = (name: string) =>
      findings.filter(({ group, subject }) => group === "containers" && subject === name);
    for (const name of ["alpha", "late"]) {
      expect(containers(name).map(({ state }) => state)).not.toContain("bad");
    }
    // What the container sees is not held against what nobody can look at.
    expect(containers("beta")).toMatchObject([
      { state: "bad", what: fault },
      { state: "unknown", what: `${repo} cannot be looked at on the host, and was not compared` },
    ]);

    expect(sync.stdout.match(/unreachable/g)).toHaveLength(projects.length);
    expect(sync.all).toContain(
      `the journal in ${logdir} could not be written: it does not answer within 5 s`,
    );
    expectPlain(sync.all);
  });
});
